// Counts that follow what is typed into a prompt's editor, as `projects/texts/counts.py` counts.
"use strict";

(() => {
  const BYTES_PER_TOKEN = 4;
  const DELAY_MS = 120;
  // Python's notion of a blank, which `\s` misses a part of.
  const BLANKS = /[\s\u001c-\u001f\u0085]+/u;
  const encoder = new TextEncoder();

  function count(text) {
    let characters = 0;
    for (const _ of text) characters += 1;
    return {
      characters,
      words: text.split(BLANKS).filter((word) => word && word !== "\ufeff").length,
      tokens: Math.ceil(encoder.encode(text).length / BYTES_PER_TOKEN),
    };
  }

  function watch(editor) {
    const text = editor.querySelector("textarea");
    let timer;
    text.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        for (const [name, value] of Object.entries(count(text.value))) {
          const shown = editor.querySelector(`[data-count=${name}]`);
          shown.textContent = value.toLocaleString("en-US");
          shown.nextElementSibling.textContent = shown.nextElementSibling.dataset[value === 1 ? "one" : "many"];
        }
      }, DELAY_MS);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-prompt-editor]").forEach(watch);
  });
})();
