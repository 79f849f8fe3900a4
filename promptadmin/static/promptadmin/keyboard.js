/* What the theme's templates lack for those who use a keyboard or a screen reader: a main landmark, a link that skips the
   navigation, and its clickable symbols as buttons. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const main = document.getElementById("content");
  if (main) {
    main.setAttribute("role", "main");
    main.tabIndex = -1;
    const skip = document.createElement("a");
    skip.href = "#content";
    skip.className = "pa-skip";
    skip.textContent = "Skip to the content";
    document.body.prepend(skip);
  }
  document.getElementById("nav-sidebar-apps")?.setAttribute("role", "navigation");
  document.getElementById("nav-sidebar-apps")?.setAttribute("aria-label", "Back-office");

  const buttons = {
    "sidebarDesktopOpen =": "Show or hide the navigation",
    "sidebarMobileOpen =": "Open or close the navigation",
    "openUserLinks =": "Your account and the colours",
    "showPassword =": "Show or hide the password",
    "openTheme =": "Colours: light, dark, or as the system has them",
    "openModal =": "Close",
    "switchTheme(": "",  // these have words
    "adminTheme =": "",
  };
  for (const element of document.querySelectorAll("span, div, a:not([href])")) {
    const action = element.getAttribute("x-on:click") ?? "";
    const name = Object.keys(buttons).find((start) => action.startsWith(start));
    if (name) {
      element.setAttribute("role", "button");
      if (buttons[name]) {
        element.setAttribute(element.querySelector("div") ? "title" : "aria-label", buttons[name]);
      }
      element.tabIndex = 0;
      element.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          element.click();
        }
      });
    }
  }
  // A symbol is a word of a font, which a screen reader would read out; where a link or button has nothing else, it stays
  // its name.
  for (const symbol of document.querySelectorAll(".material-symbols-outlined:not([role])")) {
    const owner = symbol.closest("a, button");
    if (owner && owner.textContent.trim() === symbol.textContent.trim() && !owner.hasAttribute("aria-label")) {
      const words = symbol.textContent.trim().replaceAll("_", " ");
      owner.setAttribute("aria-label", owner.getAttribute("href") === "/admin/" ? "Dashboard" : words);
    }
    symbol.setAttribute("aria-hidden", "true");
  }
});
