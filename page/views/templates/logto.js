// Logto's own templates, pasted, as files of ours.

import { el, replace } from '../../dom.js';
import { field } from '../../fields.js';
import { requestOf } from '../../judgement.js';
import { readLogtoList } from '../../logto-list.js';
import { createJudge, inOrder } from './judge.js';
import { bubble, code, explained, offer } from './parts.js';

/** `read` and `loaded` as of createEditorCard; `open` is called with a usage type and its file. */
export function createLogtoCard({ usageTypes, read, loaded, open }, context) {
  const { t } = context;
  const box = el('textarea', {
    id: 'logto-list',
    rows: 6,
    class: 'mono',
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-describedby': 'logto-hint logto-said',
  });
  const said = el('p', { id: 'logto-said', class: 'field-said', role: 'status' });
  const result = el('div', { class: 'stack' });
  let judge = null;
  return el(
    'section',
    { class: 'card stack', 'aria-labelledby': 'logto-heading' },
    el('h2', { id: 'logto-heading' }, t('templates.logtoHeading')),
    el('p', { id: 'logto-hint', class: 'hint' }, code(t('templates.logtoHint'))),
    field('logto-list', t('templates.logtoLabel'), box, said),
    el('p', {}, el('button', { class: 'button', type: 'button', click: turn }, t('templates.logtoTurn'))),
    result,
  );

  function turn() {
    const { faults, files, warnings } = readLogtoList(box.value, usageTypes);
    judge?.end();
    const [fault] = faults;
    box.setAttribute('aria-invalid', fault ? 'true' : 'false');
    said.classList.toggle('bad', Boolean(fault));
    if (fault) {
      const sentence = t(`templates.${fault.word}`, fault.values);
      said.textContent = fault.place ? `${t('templates.lineColumn', fault.place)} ${sentence}` : sentence;
      replace(result);
      return;
    }
    said.textContent = t('templates.logtoFound', { count: files.length });
    const cards = files.map(fileCard);
    const all = downloadButton(t('templates.downloadAll'), () => offer('templates.json', whole(files)));
    replace(
      result,
      warnings.length > 0 &&
        el(
          'div',
          { class: 'note warn' },
          el(
            'ul',
            { class: 'plain-list' },
            warnings.map(({ word, values }) => el('li', {}, t(`templates.${word}`, values))),
          ),
        ),
      el('div', { class: 'logto-files' }, cards.map(({ element }) => element)),
      files.length > 0 &&
        el(
          'div',
          { class: 'stack' },
          el('p', { class: 'hint' }, code(t('templates.logtoWhere'))),
          el('p', {}, all),
        ),
    );
    judge = createJudge(loaded, context, { onChange: show });
    const previews = cards.map(({ file }) => judge.questions(file, file.texts[0]));
    judge.ask(
      cards.map(({ file }) => file),
      previews.flat(),
    );
    show();

    function show() {
      cards.forEach((card, index) => card.show(judge, previews[index]));
      setUsable(all, cards.every((card) => !card.isFaulty()));
    }
  }

  function fileCard({ usageType, json }) {
    const name = `${usageType}.json`;
    const { file, faults: ownFaults } = read(json);
    const shown = el('div', { class: 'stack' });
    const notes = el('div', { class: 'stack notes' });
    const download = downloadButton(t('templates.download'), () => offer(name, json));
    download.classList.add('small');
    download.setAttribute('aria-label', t('templates.downloadFile', { file: name }));
    const edit = el(
      'button',
      {
        class: 'button small',
        type: 'button',
        'aria-label': t('templates.editFile', { file: name }),
        click: () => open(usageType, json),
      },
      t('templates.edit'),
    );
    const element = el(
      'div',
      { class: 'logto-file stack', role: 'group', 'aria-label': name },
      el('h3', {}, name),
      shown,
      notes,
      el('div', { class: 'row' }, download, edit),
    );
    let isFaulty = false;
    return { element, file, show, isFaulty: () => isFaulty };

    function show(judge, previewed) {
      const parts = previewed.flatMap((question) => {
        const { preview } = judge.answer(question) ?? {};
        const caption = previewed.length > 1 && el('p', { class: 'hint' }, t(`templates.with_${requestOf(question)}`));
        return preview ? [caption, bubble(preview, t)] : [];
      });
      if (parts.length > 0) replace(shown, parts);
      const faults = inOrder(ownFaults, judge.faults(file));
      const open = judge.isOpen(file) && t(judge.isAway() ? 'templates.unjudged' : 'templates.judging');
      isFaulty = faults.some(({ severity }) => severity === 'error');
      replace(
        notes,
        faults.map((fault) =>
          el('p', { class: `note ${fault.severity === 'error' ? 'bad' : 'warn'}` }, explained(fault, context)),
        ),
        open && el('p', { class: judge.isAway() ? 'note bad' : 'hint' }, open),
      );
      setUsable(download, !isFaulty);
    }
  }

  function downloadButton(words, take) {
    const button = el('button', { class: 'button', type: 'button', click }, words);
    return button;

    function click() {
      if (!button.getAttribute('aria-disabled')) take();
      else said.textContent = t('templates.mendFirst');
    }
  }
}

function setUsable(button, isUsable) {
  if (isUsable) button.removeAttribute('aria-disabled');
  else button.setAttribute('aria-disabled', 'true');
}

/** A list is a file, too. */
function whole(files) {
  return `${JSON.stringify(
    files.map(({ json }) => JSON.parse(json)),
    null,
    2,
  )}\n`;
}
