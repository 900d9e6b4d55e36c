// A template file that is edited, with what is wrong with it and what it would say.

import { el, replace } from '../../dom.js';
import { createJudge, inOrder } from './judge.js';
import { code, explained, explainedAsText, offer } from './parts.js';
import { createPreview } from './preview.js';

/** More of them would help nobody, and be slow. */
const MOST_MARKS = 200;
const MOST_LISTED = 20;

/**
 * `read` reads a file, `reset` gives the one to start over with, and `loaded` is the answer of `GET /api/templates`.
 * `onDraft` is told each change, `onOffer` what was downloaded, and `onClose` the end.
 * `enter()` takes the person there, and says so where the editor can't be had.
 */
export function createEditorCard(
  { usageType, text, locale, read, reset, loaded, onDraft, onOffer, onClose },
  context,
) {
  const { t } = context;
  const heading = el('h2', { tabindex: -1, id: 'editor-name' }, `${usageType}.json`);
  const place = el('div', { class: 'editor-place' });
  const said = el('p', { class: 'hint', role: 'status', id: 'editor-said' });
  const faultList = el('ul', { class: 'faults' });
  const where = el('p', { class: 'hint' });
  const download = el('button', { class: 'button primary', type: 'button', click: offerFile }, t('templates.download'));
  const preview = createPreview(context, { onChoice: ask });
  const actions = el(
    'div',
    { class: 'row' },
    download,
    el(
      'button',
      { class: 'button', type: 'button', click: () => editor?.setText(reset()) },
      t('templates.startOver'),
    ),
  );
  const judge = createJudge(loaded, context, { onChange: show });
  const ended = new AbortController();
  let state = { faults: [], file: undefined };
  /** The last file that could be read: it is previewed while the one that is edited can't be. */
  let readable;
  /** Asked for while the texts were being judged. */
  let isOfferWanted = false;
  /** Asked for while there were errors. */
  let isMendingDue = false;
  /** The faults in the list, and the text that they are in. */
  let listed;
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
    actions,
    where,
  );
  return { element, enter, end };

  async function enter() {
    heading.focus();
    element.scrollIntoView({ block: 'start' });
    const createEditor = await loadEditor();
    if (ended.signal.aborted || editor) return;
    for (const part of [preview.element, actions]) part.hidden = !createEditor;
    replace(place, !createEditor && away());
    if (!createEditor) return;
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

  /** Only who edits loads the editor; `null`: the service is away. */
  async function loadEditor() {
    try {
      return (await import('../../editor.js')).createEditor;
    } catch {
      return null;
    }
  }

  function away() {
    return el(
      'div',
      { class: 'note bad', role: 'alert' },
      el('p', {}, t('frame.noAnswer')),
      el('button', { class: 'button', type: 'button', click: enter }, t('frame.again')),
    );
  }

  function end() {
    ended.abort();
    judge.end();
    editor?.end();
    editor = null;
  }

  function change(json) {
    state = read(json);
    isOfferWanted = false;
    isMendingDue = false;
    onDraft(usageType, json);
    readable = state.file ?? readable;
    if (readable) preview.update(readable);
    const name = fileName();
    heading.textContent = name;
    replace(where, code(t('templates.where', { file: name })));
    ask();
  }

  function follow(position) {
    const text = state.file?.texts.find(({ from, to }) => position > from && position < to);
    if (text) preview.choose(text.locale);
  }

  /** Has each text judged, that of the preview first. */
  function ask() {
    const previewed = previewQuestion();
    judge.ask(state.file ? [state.file] : [], previewed ? [previewed] : []);
    show();
  }

  function previewQuestion() {
    const one = readable?.texts.find(({ locale }) => (locale ?? '') === preview.locale());
    const [usual, withoutCode] = one ? judge.questions(readable, one) : [];
    return preview.isWithoutCode() ? (withoutCode ?? usual) : usual;
  }

  function isOpen() {
    return Boolean(state.file) && judge.isOpen(state.file);
  }

  function show() {
    if (!editor) return;
    const previewed = previewQuestion();
    preview.show(previewed && judge.answer(previewed), Boolean(previewed) && !judge.isAway());
    showFaults(inOrder(state.faults, state.file ? judge.faults(state.file) : []));
    if (isOfferWanted && (!isOpen() || judge.isAway())) offerFile();
  }

  function showFaults(faults) {
    showCount(faults);
    // Whoever is at a fault in the list stays there while nothing has changed.
    const now = JSON.stringify([faults, editor.text()]);
    if (now === listed) return;
    listed = now;
    const marks = faults.slice(0, MOST_MARKS);
    editor.mark(marks.map((fault) => ({ ...fault, message: explainedAsText(fault, context) })));
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
            explained(fault, context),
          ),
        ),
    );
  }

  function showCount(faults) {
    const count = (severity) => faults.filter((fault) => fault.severity === severity).length;
    const [errors, warnings] = [count('error'), count('warning')];
    const counted = [
      errors && t('templates.errors', { count: errors }),
      warnings && t('templates.warned', { count: warnings }),
    ];
    const isAway = isOpen() && judge.isAway();
    const isUnderWay = isOpen() && !isAway;
    const open = isAway ? t('templates.unjudged') : isUnderWay && t('templates.judging');
    const found = [counted.filter(Boolean).join(', '), open].filter(Boolean).join(' · ') || t('templates.noFaults');
    const now = isMendingDue && errors > 0 ? t('templates.mendFirst') : found;
    if (said.textContent !== now) said.textContent = now;
    said.classList.toggle('bad', errors > 0 || isAway);
    // It is heard when there is something to hear.
    said.setAttribute('aria-busy', isUnderWay);
    if (errors > 0) download.setAttribute('aria-disabled', 'true');
    else download.removeAttribute('aria-disabled');
  }

  function fileName() {
    return `${state.file && !state.faults.some(({ severity }) => severity === 'error') ? state.file.usageType : usageType}.json`;
  }

  function offerFile() {
    if (!editor) return;
    isOfferWanted = false;
    if (download.getAttribute('aria-disabled')) {
      isMendingDue = true;
      show();
    } else if (isOpen() && !judge.isAway()) {
      // The service is asked for a moment's patience, and what is written must not be lost where it is away.
      isOfferWanted = true;
    } else {
      offer(fileName(), editor.text());
      onOffer(usageType, editor.text());
    }
  }
}
