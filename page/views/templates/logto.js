// Logto's own templates, pasted, as files of ours.

import { el, replace } from '../../dom.js';
import { field } from '../../fields.js';
import { readLogtoList } from '../../logto-list.js';
import { bubble, code, offer, serviceFault } from './parts.js';

export function createLogtoCard({ usageTypes, open }, { api, t, signal }) {
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
      el('div', { class: 'logto-files' }, files.map(fileCard)),
      files.length > 0 &&
        el(
          'div',
          { class: 'stack' },
          el('p', { class: 'hint' }, code(t('templates.logtoWhere'))),
          el(
            'p',
            {},
            el(
              'button',
              { class: 'button', type: 'button', click: () => offer('templates.json', whole(files)) },
              t('templates.downloadAll'),
            ),
          ),
        ),
    );
  }

  function fileCard({ usageType, text, json, warnings }) {
    const name = `${usageType}.json`;
    const shown = el('div', { class: 'stack' });
    preview(shown, text);
    return el(
      'div',
      { class: 'logto-file stack', role: 'group', 'aria-label': name },
      el('h3', {}, name),
      shown,
      warnings.map(({ word, values }) => el('p', { class: 'note warn' }, t(`templates.${word}`, values))),
      el(
        'div',
        { class: 'row' },
        el(
          'button',
          {
            class: 'button small',
            type: 'button',
            'aria-label': t('templates.downloadFile', { file: name }),
            click: () => offer(name, json),
          },
          t('templates.download'),
        ),
        el(
          'button',
          {
            class: 'button small',
            type: 'button',
            'aria-label': t('templates.editFile', { file: name }),
            click: () => open(usageType, json),
          },
          t('templates.edit'),
        ),
      ),
    );
  }

  async function preview(shown, content) {
    try {
      replace(shown, bubble(await api.post('/api/preview', { content }, { signal }), t));
    } catch (error) {
      if (!signal.aborted) replace(shown, el('p', { class: 'note bad' }, serviceFault(error, t)));
    }
  }
}

/** A list is a file, too. */
function whole(files) {
  return `${JSON.stringify(
    files.map(({ json }) => JSON.parse(json)),
    null,
    2,
  )}\n`;
}
