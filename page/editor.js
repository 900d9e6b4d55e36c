// CodeMirror as the page uses it: JSON, with marks where something is wrong.
import {
  EditorState,
  EditorView,
  HighlightStyle,
  bracketMatching,
  defaultKeymap,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  history,
  historyKeymap,
  indentOnInput,
  indentUnit,
  indentWithTab,
  json,
  keymap,
  lineNumbers,
  lintGutter,
  lintKeymap,
  setDiagnostics,
  syntaxHighlighting,
  tags,
} from './vendor/codemirror.js';

/**
 * An editor in `place`, as { text(), setText(text), mark(marks), select(from, to), focus(), end() }. A mark is
 * { from, to, severity, message }. `onChange` is told the text as soon as it changes, `onMove` where the cursor is.
 *
 * It lives in a shadow root: there CodeMirror adopts style sheets, where elsewhere it would write a style element, which
 * the page's content security policy refuses.
 */
export function createEditor(place, { text, label, phrases, onChange, onMove }) {
  const root = place.attachShadow({ mode: 'open' });
  const inside = document.createElement('div');
  root.append(inside);
  const view = new EditorView({
    root,
    parent: inside,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentUnit.of('  '),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        json(),
        lintGutter(),
        EditorView.lineWrapping,
        EditorState.phrases.of(phrases),
        EditorView.contentAttributes.of({ 'aria-label': label, 'aria-multiline': 'true', tabindex: '0' }),
        syntaxHighlighting(COLOURS),
        LOOK,
        EditorView.domEventHandlers({ beforeinput: typeOverSelection }),
        keymap.of([...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
          if (update.selectionSet || update.docChanged) onMove(update.state.selection.main.head);
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (changed) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: changed } }),
    mark(marks) {
      const most = view.state.doc.length;
      const within = ({ from, to, ...mark }) => ({ ...mark, from: Math.min(from, most), to: Math.min(to, most) });
      view.dispatch(setDiagnostics(view.state, marks.map(within)));
    },
    select(from, to = from) {
      const most = view.state.doc.length;
      view.dispatch({
        selection: { anchor: Math.min(from, most), head: Math.min(to, most) },
        effects: EditorView.scrollIntoView(Math.min(from, most), { y: 'center' }),
      });
    },
    line: (position) => view.state.doc.lineAt(Math.min(position, view.state.doc.length)).number,
    focus: () => view.focus(),
    end: () => view.destroy(),
  };
}

/**
 * Left to itself, Chromium keeps the colour of what is typed over in a style attribute, which the content security policy
 * refuses, with an error in the console.
 */
function typeOverSelection(event, view) {
  const isTyped = event.inputType === 'insertText' && event.data && !event.isComposing;
  if (!isTyped || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
  return true;
}

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--text)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  { tag: [tags.separator, tags.brace, tags.squareBracket], color: 'var(--muted)' },
]);

const LOOK = EditorView.theme({
  '&': {
    height: '100%',
    minHeight: '18rem',
    maxHeight: '34rem',
    color: 'var(--text)',
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius-small)',
    overflow: 'hidden',
    fontSize: '0.875rem',
  },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '0.5rem 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--text)', borderLeftWidth: '2px' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--muted)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--accent) 7%, transparent)' },
  '.cm-activeLineGutter': { color: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--focus) 28%, transparent)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', color: 'inherit' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-soft)', color: 'inherit' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--bad)',
    textUnderlineOffset: '3px',
  },
  '.cm-lintRange-warning': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--warn)',
    textUnderlineOffset: '3px',
  },
  '.cm-gutter-lint': { width: '1.1rem' },
  '.cm-lint-marker': { content: 'none', width: '0.6rem', height: '0.6rem', borderRadius: '50%', margin: '0.4rem auto' },
  '.cm-lint-marker-error': { content: 'none', backgroundColor: 'var(--bad)' },
  '.cm-lint-marker-warning': { content: 'none', backgroundColor: 'var(--warn)', borderRadius: '2px' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius-small)',
    overflow: 'hidden',
    maxWidth: '26rem',
    fontFamily: 'var(--sans)',
  },
  '.cm-diagnostic': { padding: '0.4rem 0.7rem' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--warn)' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)' },
});
