/* Buttons that copy: `data-copy` has the text, or `data-copy-from` the id of the element that has it. Without scripts these
   buttons stay hidden, and the texts can be selected as any other. */
"use strict";

(() => {
  const SHOWN_MS = 2_500;

  function textOf(button) {
    if (button.dataset.copy !== undefined) return button.dataset.copy;
    const source = document.getElementById(button.dataset.copyFrom);
    if (source.type === "application/json") return JSON.parse(source.textContent);
    return source.value ?? source.textContent;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Without HTTPS, browsers have the older way alone: it copies what is selected.
    }
    const before = document.activeElement;
    const field = document.body.appendChild(document.createElement("textarea"));
    field.className = "pa-offscreen";
    field.value = text;
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    before?.focus();
    return copied;
  }

  function say(button, text) {
    const status = document.getElementById("pa-copied") ?? document.body.appendChild(document.createElement("div"));
    status.id = "pa-copied";
    status.className = "pa-offscreen";
    status.setAttribute("role", "status");
    status.textContent = text;
    const label = button.querySelector("[data-copy-label]");
    label.dataset.before ??= label.textContent;
    label.textContent = text;
    setTimeout(() => {
      label.textContent = label.dataset.before;
      status.textContent = "";
    }, SHOWN_MS);
  }

  const show = () => {
    for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) button.hidden = false;
  };
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    say(button, (await copy(textOf(button))) ? "Copied" : "Select and copy it");
  });
})();
