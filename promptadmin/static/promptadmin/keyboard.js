/* What the theme's templates lack for those who use a keyboard or a screen reader: a main landmark, a link that skips the
   navigation, and its clickable symbols as buttons; and a key that saves. */
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
    "filterOpen = false": "Close the filters",
    "openRelatedWidgetWrapper": "Add, change or see what is chosen here",
  };
  for (const element of document.querySelectorAll("span, div, a:not([href])")) {
    const action = element.getAttribute("x-on:click");
    if (action) {
      const name = Object.keys(buttons).find((start) => action.startsWith(start));
      element.setAttribute("role", "button");
      if (name) {  // the others have words
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
  // The filters lie over the page: the focus goes there and back.
  const filters = document.getElementById("changelist-filter");
  const opener = [...document.querySelectorAll("[role=button]")].find((element) => element.getAttribute("x-on:click") === "filterOpen = true");
  if (filters && opener) {
    const tell = () => opener.setAttribute("aria-expanded", String(filters.checkVisibility()));
    opener.setAttribute("aria-controls", filters.id);
    tell();
    opener.addEventListener("click", () => {
      setTimeout(() => {
        tell();
        filters.querySelector("form, #changelist-filter-close + div")
          ?.querySelector("a[href], button, select:not([tabindex='-1']), input:not([type=hidden]), [role=combobox]")?.focus();
      }, 50);
    });
    const closed = () => setTimeout(() => {
      tell();
      if (opener.checkVisibility() && !filters.checkVisibility()) opener.focus();
    }, 50);
    filters.addEventListener("keydown", (event) => event.key === "Escape" && closed());
    document.getElementById("changelist-filter-close")?.addEventListener("click", closed);
  }
  // A symbol is a word of a font, which a screen reader would read out; where a link or button has nothing else, it stays
  // its name.
  for (const symbol of document.querySelectorAll(".material-symbols-outlined:not([role])")) {
    const owner = symbol.closest("a, button");
    if (owner && owner.textContent.trim() === symbol.textContent.trim() && !owner.hasAttribute("aria-label")) {
      const words = symbol.textContent.trim().replaceAll("_", " ");
      owner.setAttribute("aria-label", owner.getAttribute("href")?.endsWith("/admin/") ? "Dashboard" : words);
    }
    symbol.setAttribute("aria-hidden", "true");
  }
});

// ⌘S and Ctrl+S save the row, and stay on its page, where it has one.
document.addEventListener("keydown", (event) => {
  if (!(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "s") return;
  const button = document.querySelector("[type=submit][name=_continue]") ?? document.querySelector("[type=submit][name=_save]");
  if (!button?.form) return;
  event.preventDefault();
  if (!button.disabled) button.form.requestSubmit(button);
});
