// What a message would say in one language of the file that is edited.

import { el, replace } from '../../dom.js';
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
    el('div', { class: 'field' }, el('label', { for: 'preview-locale' }, t('templates.previewOf')), chosen),
    option,
    seen.element,
    notes,
  );
  let file;
  let locale = '';
  let faults = [];
  let timer;
  let asked = new AbortController();
  let last;
  let options = '';
  return { element, update, choose, faults: () => faults, end };

  /** The file has changed. */
  function update(changed) {
    if (changed) file = changed;
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
    faults = [];
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

  async function ask() {
    const text = file?.texts.find((one) => (one.locale ?? '') === locale);
    if (!text || text.text.trim() === '') return;
    const isInvitation = file.usageType === 'OrganizationInvitation' && withoutCode.checked;
    const syntax = file.syntax === 'handlebars' ? 'handlebars' : 'logto';
    const body = {
      content: text.text,
      syntax,
      ...(locale && { locale }),
      ...(isInvitation && { payload: { link: 'example.com' } }),
    };
    const same = JSON.stringify(body);
    if (same === last) return;
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const preview = await api.post('/api/preview', body, { signal });
      const left = syntax === 'logto' ? unfilled(preview.text) : [];
      faults = left.map((name) => ({
        severity: 'warning',
        word: 'warning_unfilled',
        values: { name },
        from: text.from,
        to: text.to,
      }));
      seen.show({ ...preview, locale: locale || preview.locale });
      replace(
        notes,
        left.map((name) => note('warn', t('templates.warning_unfilled', { name }))),
      );
      last = same;
    } catch (error) {
      if (signal.aborted) return;
      const sentence = serviceFault(error, t);
      faults =
        error.status === 422
          ? [{ severity: 'error', word: 'fault_service', values: { detail: sentence }, from: text.from, to: text.to }]
          : [];
      seen.fail(error);
      replace(notes);
      last = undefined;
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
