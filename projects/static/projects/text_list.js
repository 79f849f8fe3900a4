// A list of texts always ends with an empty field for another one.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const list of document.querySelectorAll("[data-text-list]")) {
    list.addEventListener("input", () => {
      const last = list.querySelector("textarea:last-of-type");
      if (!last.value) return;
      const next = last.cloneNode();
      const place = list.querySelectorAll("textarea").length;
      next.value = "";
      next.id = last.id.replace(/\d+$/, place);
      next.setAttribute("aria-label", last.getAttribute("aria-label").replace(/\d+$/, place + 1));
      next.placeholder = last.placeholder || "Another one";
      last.placeholder = "";
      list.append(next);
    });
  }
});
