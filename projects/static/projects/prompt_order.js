// A project's prompts change places without a new page: by drag, by the arrow buttons, by arrow keys on these.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("[data-prompt-order]")) {
    const list = form.querySelector("ol");
    const status = form.querySelector("[data-prompt-order-status]");
    const first = list.start;
    let saved = [...list.children];
    let dragged = null;
    let saving = Promise.resolve();

    const say = (text, isProblem = false) => {
      status.textContent = text;
      status.classList.toggle("is-problem", isProblem);
    };

    const number = () => {
      [...list.children].forEach((item, index) => {
        item.querySelector(".prompt-place").textContent = first + index;
      });
    };

    // One order at a time: the last that is sent is the last that is stored.
    const save = (item) => {
      number();
      const order = [...list.children];
      if (order.every((other, index) => other === saved[index])) return;
      const body = new FormData(form);
      const place = first + order.indexOf(item);
      saving = saving.then(async () => {
        try {
          const answer = await fetch(form.action, {
            method: "POST",
            body,
            headers: { Accept: "application/json" },
          });
          if (!answer.ok) {
            const detail = answer.headers.get("Content-Type")?.includes("json") && (await answer.json()).detail;
            throw new Error(detail || `The server answered ${answer.status}`);
          }
          saved = order;
          say(`Saved: the prompt is at place ${place}.`);
        } catch (error) {
          list.append(...saved);
          number();
          say(`Not saved. ${error.message}. Load the page again to see the order as it is.`, true);
        }
      });
    };

    const move = (item, direction) => {
      const other = direction === "up" ? item.previousElementSibling : item.nextElementSibling;
      if (!other) {
        say(direction === "up" ? "It is the first one already." : "It is the last one already.");
        return;
      }
      if (direction === "up") other.before(item);
      else other.after(item);
      save(item);
    };

    form.addEventListener("click", (event) => {
      const button = event.target.closest("button[name=move]");
      if (!button) return;
      event.preventDefault();
      move(button.closest("li"), button.value.split(":").pop());
      button.focus();
    });

    form.addEventListener("keydown", (event) => {
      const button = event.target.closest("button[name=move]");
      const direction = { ArrowUp: "up", ArrowDown: "down" }[event.key];
      if (!button || !direction) return;
      event.preventDefault();
      move(button.closest("li"), direction);
      button.focus();
    });

    list.addEventListener("dragstart", (event) => {
      dragged = event.target.closest("li");
      dragged.classList.add("is-dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
      event.dataTransfer.setDragImage(dragged, 16, 16);
    });

    list.addEventListener("dragover", (event) => {
      const over = event.target.closest("li");
      if (!dragged) return;
      event.preventDefault();
      if (!over || over === dragged) return;
      const box = over.getBoundingClientRect();
      if (event.clientY > box.top + box.height / 2) over.after(dragged);
      else over.before(dragged);
    });

    list.addEventListener("drop", (event) => event.preventDefault());

    list.addEventListener("dragend", () => {
      const item = dragged;
      dragged = null;
      item.classList.remove("is-dragged");
      save(item);
    });
  }
});
