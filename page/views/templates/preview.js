// What a message would say in one language of the file that is edited.

import { el, replace } from '../../dom.js';
import { field } from '../../fields.js';
import { unfilled } from '../../template-file.js';
import { phone } from '../try/phone.js';
import { serviceFault } from './parts.js';

/** Long enough that a person who types does not ask the service for each letter. */
const PAUSE = 250;

export function createPreview(context, { onFaults }) {
  const { api, t, languageName } = context;
  const seen = phone(context);
  const chosen = el('select', { id: 'preview-locale', change: () => choose(chosen.value) });
  const withoutCode = el('input', { type: 'checkbox', id: 'preview-without-code', change: ask });
  const option = el(
    'p',
    { class: 'row', hidden: true },
    withoutCode,
    el('label', { for: 'preview-without-code' }, t('templates.withoutCode')),
  );
  const notes = el('div', { class: 'stack notes' });
  const element = el(
    'div',
    { class: 'stack preview' },
    field('preview-locale', t('templates.previewOf'), chosen),
    option,
    seen.element,
    notes,
  );
  let file;
  let locale = '';
  /** Whether `file` is what the editor has now: what cannot be read is previewed as it was. */
  let isCurrent = false;
  /** The last body that the service has judged, as JSON, and what was wrong with it. */
  let judged = { body: undefined, faults: [] };
  let timer;
  let asked = new AbortController();
  let options = '';
  return { element, update, choose, faults, end };

  /** The file has changed. */
  function update(changed) {
    if (changed) file = changed;
    isCurrent = Boolean(changed);
    const locales = (file?.texts ?? []).map((text) => text.locale ?? '');
    if (!locales.includes(locale)) locale = locales[0] ?? '';
    if (options !== locales.join()) {
      options = locales.join();
      replace(
        chosen,
        [...new Set(locales)].map((one) => el('option', { value: one }, nameOf(one))),
      );
    }
    chosen.value = locale;
    option.hidden = file?.usageType !== 'OrganizationInvitation';
    schedule();
  }

  function choose(one) {
    const wanted = one ?? '';
    if (wanted === locale) return;
    locale = wanted;
    chosen.value = locale;
    schedule();
  }

  function schedule() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  /** What was found in the text as it is now, wherever edits around it have moved it. */
  function faults() {
    const { text, body } = question() ?? {};
    if (!isCurrent || !text || JSON.stringify(body) !== judged.body) return [];
    return judged.faults.map((fault) => ({ ...fault, from: text.from, to: text.to }));
  }

  /** The chosen text, and what to ask the service about it; `null` where there is none. */
  function question() {
    const text = file?.texts.find((one) => (one.locale ?? '') === locale);
    if (!text || text.text.trim() === '') return null;
    const isInvitation = file.usageType === 'OrganizationInvitation' && withoutCode.checked;
    const body = {
      content: text.text,
      syntax: file.syntax === 'handlebars' ? 'handlebars' : 'logto',
      ...(locale && { locale }),
      ...(isInvitation && { payload: { link: 'example.com' } }),
    };
    return { text, body };
  }

  async function ask() {
    // First of all: an edit that was taken back must not get the answer to what it was.
    asked.abort();
    const { body } = question() ?? {};
    const same = JSON.stringify(body);
    if (!body || same === judged.body) return;
    asked = new AbortController();
    const { signal } = asked;
    try {
      const preview = await api.post('/api/preview', body, { signal });
      const left = body.syntax === 'logto' ? unfilled(preview.text) : [];
      judged = {
        body: same,
        faults: left.map((name) => ({ severity: 'warning', word: 'warning_unfilled', values: { name } })),
      };
      seen.show({ ...preview, locale: locale || preview.locale });
      replace(
        notes,
        left.map((name) => note('warn', t('templates.warning_unfilled', { name }))),
      );
    } catch (error) {
      if (signal.aborted) return;
      const sentence = serviceFault(error, t);
      // Any other failure says nothing about the text, which is asked for again.
      judged =
        error.status === 422
          ? { body: same, faults: [{ severity: 'error', word: 'fault_service', values: { detail: sentence } }] }
          : { body: undefined, faults: [] };
      seen.fail(error);
      replace(notes);
    }
    onFaults();
  }

  function end() {
    clearTimeout(timer);
    asked.abort();
  }

  function nameOf(one) {
    return one === '' ? t('templates.everybody') : `${languageName(one)} (${one})`;
  }
}

function note(kind, sentence) {
  return el('p', { class: `note ${kind}` }, sentence);
}
