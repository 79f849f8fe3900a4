/* What a list cuts, as the cards of narrow windows do, says the whole as its title. Without scripts the ellipsis alone tells
   that there is more, and the row's page has it. */
"use strict";

(() => {
  const CELLS = ["#result_list .data-row > :is(td, th)", ".list-heading > *", ".run-tag", ".prompt-link", ".panel-text"].join(", ");

  function tell() {
    for (const cell of document.querySelectorAll(CELLS)) {
      const isCut = cell.scrollWidth > cell.clientWidth + 1 || cell.scrollHeight > cell.clientHeight + 1;
      const whole = cell.textContent.replace(/\s+/g, " ").trim();
      if (isCut && !cell.title) cell.title = whole;
      else if (!isCut && cell.title === whole) cell.removeAttribute("title");
    }
  }

  document.addEventListener("DOMContentLoaded", tell);
  window.addEventListener("load", tell); // once the fonts are there
  window.addEventListener("resize", tell);
})();
