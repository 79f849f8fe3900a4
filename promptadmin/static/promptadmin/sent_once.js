/* A form is sent once: the second of two clicks does nothing. Without this the server sees to it, see resent_forms.py. */
"use strict";

(() => {
  const AGAIN_MS = 10_000;

  const submits = (form) => [...form.elements].filter((control) => control.type === "submit");

  function allow(form) {
    delete form.dataset.isSent;
    for (const button of submits(form)) button.disabled = false;
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method")?.toLowerCase() !== "post" || event.defaultPrevented) return;
    if (form.dataset.isSent) {
      event.preventDefault();
      return;
    }
    form.dataset.isSent = "yes";
    setTimeout(() => submits(form).forEach((button) => { button.disabled = true; })); // after its name was taken
    setTimeout(allow, AGAIN_MS, form); // the page is still there: the answer was a file, or none
  });
  window.addEventListener("pageshow", (event) => event.persisted && document.querySelectorAll("form").forEach(allow));
})();
