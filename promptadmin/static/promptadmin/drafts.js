/* Keeps what is typed into a form until the server has it, and asks before it is left behind.

   A draft is of one user, one form of one address, and the version that was read. It is in sessionStorage: that survives
   signing in, Back and a reload in the same tab, is nobody else's tab, and goes with the tab. Secrets are never in it. */
"use strict";

(() => {
  const PREFIX = "promptadmin-draft";
  const SAVE_MS = 300;
  const KEY_LENGTH = 16; // of the token that names a form; see resent_forms.py
  const ANSWERED_MS = 30_000;
  const SECRET = /pass|secret|token|credential|api_?key/i;
  const TYPED = "textarea, input:not([type]), input:is([type=text], [type=url], [type=email], [type=search], [type=number], [type=tel])";
  const NOT_KEPT = new Set(["hidden", "password", "file", "submit", "button", "image", "reset"]);
  let user = "";
  let root = ""; // another installation below another path of this host has drafts of its own
  let states = [];

  // ---------------------------------------------------------------- values: name → the texts that are chosen or typed
  const isKept = (control) =>
    control.name && !control.disabled && !NOT_KEPT.has(control.type) && control.type !== "fieldset" &&
    (control.type === "number" || !SECRET.test(control.name));
  const controls = (form) => [...form.elements].filter(isKept);
  const plain = (text) => text.replace(/\r\n?/g, "\n");

  function chosen(control, asLoaded) {
    if (control.type === "checkbox" || control.type === "radio") {
      return (asLoaded ? control.defaultChecked : control.checked) ? [control.value] : [];
    }
    if (control.options) {
      const options = [...control.options];
      if (!asLoaded) return options.filter((option) => option.selected).map((option) => option.value);
      const marked = options.filter((option) => option.defaultSelected);
      return (marked.length || control.multiple ? marked : options.slice(0, 1)).map((option) => option.value);
    }
    return [plain(asLoaded ? control.defaultValue : control.value)];
  }

  function values(form, asLoaded = false) {
    const found = {};
    for (const control of controls(form)) {
      const texts = chosen(control, asLoaded).filter((text) => text !== "");
      found[control.name] = [...(found[control.name] ?? []), ...texts];
    }
    return found;
  }

  const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const labels = (form) =>
    Object.fromEntries(
      controls(form).filter((control) => control.options).map((control) => [
        control.name, Object.fromEntries([...control.selectedOptions].map((option) => [option.value, option.text])),
      ]),
    );

  function fill(form, draft) {
    for (const name of new Set(controls(form).map((control) => control.name))) {
      const texts = [...(draft.values[name] ?? [])];
      const same = () => controls(form).filter((control) => control.name === name);
      for (let index = 0; index < same().length; index += 1) {  // a list of texts grows while it is filled
        const control = same()[index];
        if (control.type === "checkbox" || control.type === "radio") control.checked = texts.includes(control.value);
        else if (control.options) {
          for (const text of texts) {
            if (![...control.options].some((option) => option.value === text)) {
              control.add(new Option(draft.labels[name]?.[text] ?? text, text));
            }
          }
          for (const option of control.options) option.selected = texts.includes(option.value);
        } else control.value = texts.shift() ?? "";
        for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, { bubbles: true }));
      }
    }
    for (const field of form.querySelectorAll("[data-read-version]")) field.value = draft.read[field.name] ?? field.value;
  }

  // ---------------------------------------------------------------- what is stored
  function hash(text) {
    let sum = 5381;
    for (let index = 0; index < text.length; index += 1) sum = ((sum * 33) ^ text.charCodeAt(index)) >>> 0;
    return sum.toString(36);
  }

  const readFields = (form) =>
    Object.fromEntries([...form.querySelectorAll("[data-read-version]")].map((field) => [field.name, field.value]));
  const versionOf = (form) => {
    const read = readFields(form);
    return hash(JSON.stringify(Object.keys(read).length ? read : values(form, true)));
  };

  function drafts() {
    const found = [];
    for (let index = 0; index < sessionStorage.length; index += 1) {
      const key = sessionStorage.key(index);
      if (!key.startsWith(`${PREFIX} ${user} `)) continue;
      try {
        const draft = { ...JSON.parse(sessionStorage.getItem(key)), key };
        if (draft.path.startsWith(root)) found.push(draft);
      } catch {
        // not ours
      }
    }
    return found.sort((one, other) => other.at - one.at);
  }

  function store(draft) {
    const { key, ...rest } = draft;
    const waiting = drafts().reverse().filter((other) => other.key !== key);
    for (;;) {
      try {
        sessionStorage.setItem(key, JSON.stringify(rest));
        return;
      } catch {  // there is no more room: the oldest goes
        if (!waiting.length) return;
        sessionStorage.removeItem(waiting.shift().key);
      }
    }
  }

  const drop = (...gone) => gone.forEach((draft) => sessionStorage.removeItem(draft.key));

  // ---------------------------------------------------------------- the forms of the page
  const isDirty = (state) => state.isRefused || !equal(values(state.form), state.loaded);

  function keep(state) {
    clearTimeout(state.timer);
    if (!isDirty(state)) {
      sessionStorage.removeItem(state.key);
      return;
    }
    store({
      key: state.key, at: Date.now(), title: document.title.split("|")[0].trim(), path: location.pathname, name: state.name,
      href: location.pathname + location.search, version: state.version, read: readFields(state.form),
      values: values(state.form), labels: labels(state.form), sent: state.sent,
    });
  }

  function watch(form, index) {
    const name = form.getAttribute("id") || `form ${index}`;
    const version = versionOf(form);
    const id = Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
    const key = `${PREFIX} ${user} ${location.pathname} ${name} ${version} ${id}`;
    const state = { form, name, version, key, loaded: values(form, true), isRefused: false, isSent: false };
    const changed = () => {
      state.sent = undefined;
      clearTimeout(state.timer);
      state.timer = setTimeout(keep, SAVE_MS, state);
    };
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    return state;
  }

  function note(event) {
    const form = event.target;
    if (event.defaultPrevented) return;
    const state = states.find((other) => other.form === form);
    if (state) {
      state.isSent = true;
      state.sent = form.elements.csrfmiddlewaretoken?.value.slice(0, KEY_LENGTH);
      keep(state);
      setTimeout(() => { state.isSent = false; }, ANSWERED_MS); // the page is still there: the answer was a file, or none
    }
    // The attribute: a field named "action" hides the property.
    if (form.getAttribute("action")?.endsWith("/logout/")) drop(...drafts());
  }

  // ---------------------------------------------------------------- what is offered
  function button(text, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", action);
    return made;
  }

  function tell(before, text, ...more) {
    const box = document.createElement("div");
    box.className = "pa-draft";
    box.setAttribute("role", "status");
    const words = document.createElement("p");
    words.textContent = text;
    box.append(words, ...more);
    before.before(box);
    return box;
  }

  const since = (draft) => new Date(draft.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const secretNote = (form) => (form.querySelector("[type=password]") ? " Passwords are never kept: type them again." : "");

  function restore(state, draft) {
    fill(state.form, draft);
    keep(state);
    if (draft.key !== state.key) drop(draft);
    const box = tell(state.form, `What you typed at ${since(draft)} was not saved. It is in the form again.${secretNote(state.form)}`,
      button("Discard it", () => {
        fill(state.form, { values: state.loaded, labels: {}, read: state.read });
        state.isRefused = false;
        keep(state);
        box.remove();
      }));
  }

  function offer(state, waiting) {
    const [draft, ...others] = waiting;
    if (!draft) return;
    const changed = draft.version === state.version ? "" : " What is stored has changed since.";
    const done = () => {
      box.remove();
      offer(state, others);
    };
    const box = tell(state.form, `You typed something here at ${since(draft)} that was not saved.${changed}`,
      button("Restore what you typed", () => {
        box.remove();
        restore(state, draft);
      }),
      button("Discard it", () => {
        drop(draft);
        done();
      }));
  }

  function bringBack(state, waiting, isUnsure) {
    const mine = waiting.filter((draft) => draft.path === location.pathname && draft.name === state.name);
    const shown = mine.find((draft) => equal(draft.values, state.loaded));
    if (shown) {  // the form came back with what was typed, or that is stored by now
      state.isRefused = Boolean(shown.sent) && !isUnsure(shown);
      drop(shown);
      keep(state);
    }
    const now = values(state.form);
    const filled = mine.filter((draft) => draft !== shown && equal(draft.values, now)); // by the browser, after Back
    if (filled.length) {
      drop(...filled);
      keep(state);
    }
    const rest = mine.filter((draft) => draft !== shown && !filled.includes(draft));
    const [newest] = rest;
    const isReturn = newest?.sent && newest.version === state.version && !isUnsure(newest) && !isDirty(state);
    if (isReturn) restore(state, newest);
    offer(state, isReturn ? rest.slice(1) : rest);
    return mine;
  }

  function showLost(draft) {
    const content = document.querySelector("#content > *");
    if (!content) return;
    const link = document.createElement("a");
    link.href = draft.href;
    link.textContent = "Go to its page";
    const text = document.createElement("textarea");
    text.readOnly = true;
    text.rows = 6;
    text.setAttribute("aria-label", "What you typed");
    text.value = Object.values(draft.values).flat().join("\n");
    const box = tell(content, `What you typed at ${since(draft)} on “${draft.title}” was not saved:`, text, link,
      button("Discard it", () => {
        drop(draft);
        box.remove();
      }));
  }

  async function begin() {
    const page = document.querySelector("meta[name=promptadmin-user]");
    user = page?.content ?? "";
    if (!user) return;
    root = new URL("../", new URL(page.dataset.session, location.href)).pathname;
    document.addEventListener("submit", note);
    window.addEventListener("pageshow", (event) => event.persisted && states.forEach((state) => { state.isSent = false; }));
    states = [...document.querySelectorAll("form[method=post]:not(#changelist-form)")]
      .filter((form) => [...form.querySelectorAll(TYPED)].some(isKept))
      .map(watch);
    for (const state of states) state.read = readFields(state.form);
    window.addEventListener("pagehide", () => states.filter((state) => !state.isSent).forEach((state) => keep(state)));
    window.addEventListener("beforeunload", (event) => {
      if (states.some((state) => !state.isSent && isDirty(state))) event.preventDefault();
    });
    let waiting = drafts();
    const sent = waiting.filter((draft) => draft.sent);
    let outcome = null;
    if (sent.length) {
      const query = new URLSearchParams(sent.map((draft) => ["form", draft.sent]));
      try {
        outcome = (await (await fetch(`${page.dataset.session}?${query}`, { headers: { Accept: "application/json" } })).json()).forms;
      } catch {
        // they are offered instead
      }
    }
    drop(...waiting.filter((draft) => outcome?.[draft.sent] === "done"));
    waiting = waiting.filter((draft) => outcome?.[draft.sent] !== "done");
    const isUnsure = (draft) => !outcome || outcome[draft.sent] === "unsure";
    const placed = states.flatMap((state) => bringBack(state, waiting, isUnsure));
    const lost = waiting.find((draft) => draft.sent && !placed.includes(draft));
    if (lost) showLost(lost);
  }

  // After the scripts of the fields, which listen for what is put into them.
  document.addEventListener("DOMContentLoaded", () => setTimeout(begin));
})();
