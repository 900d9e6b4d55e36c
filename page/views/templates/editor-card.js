// A template file that is edited, with what is wrong with it and what it would say.

import { el, replace } from '../../dom.js';
import { code, offer } from './parts.js';
import { createPreview } from './preview.js';

/** More of them would help nobody, and be slow. */
const MOST_MARKS = 200;
const MOST_LISTED = 20;

/**
 * `read` reads a file, `reset` gives the one to start over with, `onDraft` is told each change and `onClose` the end.
 * `enter()` takes the person there.
 */
export function createEditorCard({ usageType, text, locale, read, reset, onDraft, onClose }, context) {
  const { t } = context;
  const heading = el('h2', { tabindex: -1, id: 'editor-name' }, `${usageType}.json`);
  const place = el('div', { class: 'editor-place' });
  const said = el('p', { class: 'hint', role: 'status', id: 'editor-said' });
  const faultList = el('ul', { class: 'faults' });
  const where = el('p', { class: 'hint' });
  const download = el('button', { class: 'button primary', type: 'button', click: offerFile }, t('templates.download'));
  const preview = createPreview(context, { onFaults: showFaults });
  const ended = new AbortController();
  let state = { faults: [], file: undefined };
  let editor = null;

  const element = el(
    'section',
    { class: 'card stack', 'aria-labelledby': 'editor-name' },
    el(
      'div',
      { class: 'row apart' },
      heading,
      el('button', { class: 'button quiet', type: 'button', click: () => onClose(usageType) }, t('templates.close')),
    ),
    el('p', { class: 'hint' }, code(t('templates.editorHint'))),
    el('div', { class: 'editor-columns' }, el('div', { class: 'stack' }, place, said, faultList), preview.element),
    el(
      'div',
      { class: 'row' },
      download,
      el(
        'button',
        { class: 'button', type: 'button', click: () => editor?.setText(reset()) },
        t('templates.startOver'),
      ),
    ),
    where,
  );
  return { element, enter, end };

  async function enter() {
    heading.focus();
    element.scrollIntoView({ block: 'start' });
    // Only who edits loads the editor.
    const { createEditor } = await import('../../editor.js');
    if (ended.signal.aborted) return;
    const label = t('templates.editorLabel', { file: `${usageType}.json` });
    const phrases = {
      Diagnostics: t('templates.faultList'),
      'No diagnostics': t('templates.noFaults'),
      close: t('templates.close'),
    };
    editor = createEditor(place, { text, label, phrases, onChange: change, onMove: follow });
    change(text);
    const first = state.file?.texts.find((one) => one.locale === locale) ?? state.file?.texts[0];
    if (first) {
      editor.select(first.from + 1);
      preview.choose(first.locale);
    }
  }

  function end() {
    ended.abort();
    preview.end();
    editor?.end();
    editor = null;
  }

  function change(json) {
    state = read(json);
    onDraft(usageType, json);
    preview.update(state.file, state.faults, json);
    const name = fileName();
    heading.textContent = name;
    replace(where, code(t('templates.where', { file: name })));
    showFaults();
  }

  function follow(position) {
    const text = state.file?.texts.find(({ from, to }) => position > from && position < to);
    if (text) preview.choose(text.locale);
  }

  /** The file's own faults and those that the service found in the text that is previewed. */
  function showFaults() {
    if (!editor) return;
    const faults = [...state.faults, ...preview.faults()].sort((one, other) => one.from - other.from);
    const sentence = (fault) => t(`templates.${fault.word}`, fault.values);
    editor.mark(faults.slice(0, MOST_MARKS).map((fault) => ({ ...fault, message: sentence(fault) })));
    const count = (severity) => faults.filter((fault) => fault.severity === severity).length;
    const [errors, warnings] = [count('error'), count('warning')];
    const counted = [
      errors && t('templates.errors', { count: errors }),
      warnings && t('templates.warned', { count: warnings }),
    ];
    const now = counted.filter(Boolean).join(', ') || t('templates.noFaults');
    if (said.textContent !== now) said.textContent = now;
    said.classList.toggle('bad', errors > 0);
    const jump =
      ({ from, to }) =>
      () => {
        editor.select(from, to);
        editor.focus();
      };
    replace(
      faultList,
      faults
        .slice(0, MOST_LISTED)
        .map((fault) =>
          el(
            'li',
            { class: fault.severity },
            el(
              'button',
              { type: 'button', class: 'fault', click: jump(fault) },
              t('templates.line', { line: editor.line(fault.from) }),
            ),
            ' ',
            sentence(fault),
          ),
        ),
    );
    if (errors > 0) download.setAttribute('aria-disabled', 'true');
    else download.removeAttribute('aria-disabled');
  }

  function fileName() {
    return `${state.file && !state.faults.some(({ severity }) => severity === 'error') ? state.file.usageType : usageType}.json`;
  }

  function offerFile() {
    if (!editor) return;
    if (download.getAttribute('aria-disabled')) said.textContent = t('templates.mendFirst');
    else offer(fileName(), editor.text());
  }
}
