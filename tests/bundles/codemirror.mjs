// What page/editor.js uses of CodeMirror.
export { EditorState, Compartment } from '@codemirror/state';
export {
  EditorView,
  drawSelection,
  dropCursor,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
export { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
export { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
export { json } from '@codemirror/lang-json';
export { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
export { tags } from '@lezer/highlight';
