// Moments in the browser's time, or how long ago they were; the exact one in UTC stays in the title.
(() => {
  const WEEK = 7 * 24 * 3600;
  const UNITS = [["day", 24 * 3600], ["hour", 3600], ["minute", 60]];
  const WRITTEN = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) UTC$/;
  const words = new Intl.RelativeTimeFormat("en", {numeric: "auto"});
  const two = (number) => String(number).padStart(2, "0");

  function local(moment, seconds) {
    const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
    const time = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
    return `${day} ${time}${seconds ? `:${two(moment.getSeconds())}` : ""}`;
  }

  function told(moment) {
    const ago = (moment - Date.now()) / 1000;
    if (Math.abs(ago) >= WEEK) return local(moment);
    if (Math.abs(ago) < 60) return ago <= 0 ? "just now" : "in a moment";
    const [unit, length] = UNITS.find(([, each]) => Math.abs(ago) >= each);
    return words.format(Math.trunc(ago / length), unit);
  }

  function show(element) {
    const moment = new Date(element.dateTime);
    if (isNaN(moment)) return;
    element.textContent = told(moment);
    element.title = `${local(moment, true)} here, ${element.dateTime.replace("T", " ").replace("Z", "")} UTC`;
  }

  // What Django's own columns write has no element of its own.
  function mark(root) {
    for (const cell of root.querySelectorAll("#result_list td, #result_list th, .readonly")) {
      const leaf = cell.querySelector("a:only-child, div:only-child") ?? cell;
      const found = leaf.childElementCount ? null : WRITTEN.exec(leaf.textContent.trim());
      if (!found) continue;
      const time = document.createElement("time");
      time.className = "pa-time";
      time.dateTime = `${found[1]}T${found[2]}Z`;
      leaf.replaceChildren(time);
    }
  }

  function showAll(root) {
    mark(root);
    root.querySelectorAll("time.pa-time").forEach(show);
  }

  document.addEventListener("DOMContentLoaded", () => showAll(document));
  document.addEventListener("htmx:load", (event) => showAll(event.detail.elt));
  setInterval(() => document.querySelectorAll("time.pa-time").forEach(show), 60000);
})();
