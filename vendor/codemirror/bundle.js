// What projects/static/projects/prompt_editor.js uses of CodeMirror, as one global object of that name.
import { StyleModule } from "style-mod";

export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
export { Compartment, EditorState, Transaction } from "@codemirror/state";
export {
  Decoration, EditorView, MatchDecorator, ViewPlugin, drawSelection, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers,
} from "@codemirror/view";

// CodeMirror would write its styles into <style>, which our content policy refuses. Constructed style sheets are objects of
// a script that may run anyway: nothing of the policy has to give way.
const sheets = new WeakMap();
StyleModule.mount = (root, modules) => {
  if (!sheets.has(root)) {
    sheets.set(root, new CSSStyleSheet());
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheets.get(root)];
  }
  sheets.get(root).replaceSync([modules].flat().map((module) => module.getRules()).join("\n"));
};
