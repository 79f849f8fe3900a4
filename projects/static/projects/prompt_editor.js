/* CodeMirror in the place of a prompt's textarea, which stays what the form sends, what drafts keep and what is copied; the
   variables of the text beside it, and a preview that follows. Without scripts there are the textarea, and a button. */
"use strict";

(() => {
  const DELAY_MS = 250;
  const CURSOR = "promptadmin-cursor";
  const CURSOR_MS = 15_000;
  const VALUE = "value of ";

  function makeEditor(editor, text) {
    const {
      Compartment, Decoration, EditorState, EditorView, MatchDecorator, ViewPlugin, defaultKeymap, drawSelection, highlightSelectionMatches,
      highlightSpecialChars, history, historyKeymap, keymap, lineNumbers, openSearchPanel, search, searchKeymap,
    } = CodeMirror;
    const label = document.querySelector(`label[for="${text.id}"]`);
    if (label) label.id ||= `${text.id}_label`;
    const marks = new MatchDecorator({
      regexp: /(?<!\{)\{\{[ \t]*\w[\w.-]*[ \t]*\}\}(?!\})|(?<!\{)\{\w[\w.-]*\}(?!\})/gu,
      decoration: Decoration.mark({ class: "cm-variable" }),
    });
    const variables = ViewPlugin.define(
      (view) => ({ marks: marks.createDeco(view), update(change) { this.marks = marks.updateDeco(change, this.marks); } }),
      { decorations: (plugin) => plugin.marks },
    );
    const wrapping = new Compartment();
    const attributes = {
      "aria-describedby": `${text.id}_counts ${text.id}_keys`,
      ...(label ? { "aria-labelledby": label.id } : { "aria-label": "Text" }),
      ...(text.required ? { "aria-required": "true" } : {}),
    };
    const view = new EditorView({
      doc: text.value,
      extensions: [
        lineNumbers(), highlightSpecialChars(), history(), drawSelection(), variables, search({ top: true }), highlightSelectionMatches(),
        EditorState.allowMultipleSelections.of(true), EditorView.perLineTextDirection.of(true), wrapping.of(EditorView.lineWrapping),
        EditorView.contentAttributes.of(attributes), keymap.of([...searchKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged || text.value === update.state.doc.toString()) return;
          text.value = update.state.doc.toString();
          text.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    });
    // What drafts or the browser put into the field.
    const take = () => {
      if (text.value === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text.value } });
    };
    text.addEventListener("input", take);
    text.addEventListener("change", take);
    window.addEventListener("pageshow", take);
    label?.addEventListener("click", () => view.focus());
    text.required = false; // nobody can fill in a field that is hidden; the server says so
    text.hidden = true;
    text.before(view.dom);

    const bar = editor.querySelector("[data-editor-bar]");
    bar.hidden = false;
    bar.querySelector("[data-editor-find]").addEventListener("click", () => openSearchPanel(view));
    bar.querySelector("[data-editor-wrap]").addEventListener("change", (event) => {
      view.dispatch({ effects: wrapping.reconfigure(event.target.checked ? EditorView.lineWrapping : []) });
    });
    keepCursor(view, text.form);
  }

  // Whoever saves while typing goes on typing at the same place.
  function keepCursor(view, form) {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(CURSOR));
      sessionStorage.removeItem(CURSOR);
    } catch {
      // not ours
    }
    if (kept?.path === location.pathname && Date.now() - kept.at < CURSOR_MS) {
      view.dispatch({ selection: { anchor: Math.min(kept.place, view.state.doc.length) }, scrollIntoView: true });
      view.focus();
    }
    form.addEventListener("submit", () => {
      if (!view.hasFocus) return;
      const cursor = { path: location.pathname, at: Date.now(), place: view.state.selection.main.head };
      sessionStorage.setItem(CURSOR, JSON.stringify(cursor));
    });
  }

  function followVariables(editor, text) {
    const find = (name) => editor.querySelector(`[data-${name}]`);
    const [box, list, preview, note, shown] =
      ["variables", "variable-list", "prompt-preview", "preview-note", "preview-text"].map(find);
    const fields = new Map(); // those of variables that are gone for a moment keep their values
    let asked = 0;
    let timer;

    const adopt = (label) => {
      const field = label.querySelector("textarea");
      field.removeAttribute("name"); // nothing of it is stored: no draft, and no question on leaving
      fields.set(field.dataset.variable, label);
    };
    const made = (name) => {
      const label = find("variable-template").content.firstElementChild.cloneNode(true);
      label.querySelector("bdi").textContent = name;
      label.querySelector("textarea").dataset.variable = name;
      adopt(label);
      return label;
    };
    const current = () => [...list.querySelectorAll("textarea")];

    async function show() {
      asked += 1;
      const number = asked;
      const body = new URLSearchParams({
        csrfmiddlewaretoken: text.form.elements.csrfmiddlewaretoken.value, content: text.value, format: editor.dataset.format,
      });
      for (const field of current()) body.set(VALUE + field.dataset.variable, field.value);
      let found;
      try {
        const answer = await fetch(editor.dataset.preview, { method: "POST", body, headers: { Accept: "application/json" } });
        found = await answer.json();
        if (!answer.ok) throw new Error(found.detail);
      } catch (error) {
        if (number === asked) note.textContent = `There is no preview now: ${error.message}`;
        return;
      }
      if (number !== asked) return;
      const names = current().map((field) => field.dataset.variable);
      if (names.join("\n") !== found.variables.join("\n")) {
        list.replaceChildren(...found.variables.map((name) => fields.get(name) ?? made(name)));
      }
      box.hidden = preview.hidden = !found.variables.length;
      note.textContent = found.missing.length ? `Without a value: ${found.missing.join(", ")}` : "";
      shown.textContent = found.text;
    }
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(show, DELAY_MS);
    };
    list.querySelectorAll("label").forEach(adopt);
    find("preview-button").remove();
    text.addEventListener("input", later);
    list.addEventListener("input", () => {
      preview.open = true;
      later();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const editor of document.querySelectorAll("[data-prompt-editor]")) {
      const text = editor.querySelector("textarea");
      if (window.CodeMirror && "adoptedStyleSheets" in document) makeEditor(editor, text);
      if (editor.dataset.preview) followVariables(editor, text);
    }
  });
})();
