// A test delivery: what it would say, and what becomes of it.

import { el, replace } from '../dom.js';
import { field, say } from '../fields.js';
import { unfilled } from '../template-file.js';
import { delivery } from './try/delivery.js';
import { phone } from './try/phone.js';

export const title = 'try.title';

/** Milliseconds after the last key before a preview is asked for. */
const TYPING = 200;

/** The code where neither a code nor a link is given, as in src/routes/operator/test_delivery.rs. */
const TEST_CODE = '000000';

/** What was filled in, kept for the way back from a message. Never in the address: a number has no place there. */
const filled = { number: '', usageType: '', locale: '', values: `{ "code": "${TEST_CODE}" }` };

export async function show(root, context) {
  const { api, t, signal, languageName, isSandbox } = context;
  const loaded = await api.get('/api/templates', { signal });

  const number = el('input', {
    id: 'number',
    type: 'tel',
    autocomplete: 'tel',
    placeholder: '+45 26 09 10 45',
    'aria-describedby': 'number-hint number-said',
    'aria-required': 'true',
    input: () => {
      say(number, numberSaid, '');
      previewSoon();
    },
  });
  const numberHint = el('p', { id: 'number-hint', class: 'hint' });
  const numberSaid = el('p', { id: 'number-said', class: 'field-said bad' });
  const usageType = el(
    'select',
    { id: 'usage-type', change: () => changeType(locale.value) },
    loaded.usage_types.map(({ type }) => el('option', { value: type }, typeName(type))),
  );
  const locale = el('select', { id: 'locale', change: preview });
  const values = el('textarea', {
    id: 'values',
    class: 'mono',
    rows: 3,
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-describedby': 'values-hint values-said',
    input: previewSoon,
  });
  values.value = filled.values;
  const valuesSaid = el('p', { id: 'values-said', class: 'field-said bad' });
  const send = el('button', { class: 'button primary', type: 'submit' }, t('try.send'));
  const form = el(
    'form',
    { class: 'card stack', novalidate: true, submit: submit, 'aria-label': t('try.form') },
    field('number', t('try.number'), number, numberHint, numberSaid),
    el(
      'div',
      { class: 'pair' },
      field('usage-type', t('try.usageType'), usageType),
      field('locale', t('try.locale'), locale),
    ),
    el(
      'details',
      {},
      el('summary', {}, t('try.values')),
      field('values', t('try.valuesLabel'), values, el('p', { id: 'values-hint', class: 'hint' }, t('try.valuesHint')), valuesSaid),
    ),
    el('div', { class: 'row' }, send),
  );
  const shownPhone = phone(context);
  const shownDelivery = delivery(context);
  root.append(el('div', { class: 'try-columns' }, el('div', { class: 'stack' }, form, shownDelivery.element), shownPhone.element));

  let timer = null;
  let asking = new AbortController();
  let isSending = false;
  number.value = filled.number;
  if (filled.usageType) usageType.value = filled.usageType;
  sayWhereItGoes();
  changeType(filled.locale);
  return () => {
    Object.assign(filled, { number: number.value, usageType: usageType.value, locale: locale.value, values: values.value });
    clearTimeout(timer);
    asking.abort();
  };

  /** A sandbox may have taken the place of a real service, or the other way round. */
  function sayWhereItGoes() {
    const hint = t(isSandbox() ? 'try.numberHintSandbox' : 'try.numberHint');
    if (numberHint.textContent !== hint) numberHint.textContent = hint;
  }

  /** Offers the languages that the type has. */
  function changeType(chosen) {
    const locales = templatesOf(usageType.value).map((template) => template.locale);
    replace(
      locale,
      el('option', { value: '' }, t('try.localeDefault', { locale: languageName(loaded.default_locale) })),
      locales.map((tag) => el('option', { value: tag }, `${languageName(tag)} (${tag})`)),
    );
    locale.value = locales.includes(chosen) ? chosen : '';
    preview();
  }

  /** The type's own templates, or those that stand in for them. */
  function templatesOf(wanted) {
    const find = (name) => loaded.usage_types.find(({ type }) => type === name);
    const usage = find(wanted);
    return (usage.falls_back_to ? find(usage.falls_back_to) : usage)?.templates ?? [];
  }

  function previewSoon() {
    clearTimeout(timer);
    timer = setTimeout(preview, TYPING);
  }

  async function preview() {
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    const { signal: ended } = asking;
    const payload = payloadOf();
    if (payload === null) return;
    try {
      const asked = { type: usageType.value, locale: locale.value || undefined, payload, to: number.value || undefined };
      const answer = await api.post('/api/preview', asked, { signal: ended });
      if (ended.aborted) return;
      shownPhone.show(answer, warningsOf(answer, asked.type));
      sayWhereItGoes();
    } catch (error) {
      if (!ended.aborted) shownPhone.fail(error);
    }
  }

  function warningsOf({ text, segments, locale }, type) {
    const most = loaded.max_segments;
    const template = templatesOf(type).find((one) => one.locale === locale);
    // Handlebars refuses a text with a name that has no value.
    const left = template?.syntax === 'handlebars' ? [] : new Set(unfilled(text));
    return [
      ...(segments > most ? [t('try.tooMany', { count: segments, most })] : []),
      ...[...left].map((name) => t('try.unfilled', { name })),
    ];
  }

  /** The values of the text, with those that the service adds; `null`, and a word on it, where they are no object. */
  function payloadOf() {
    let payload = null;
    try {
      payload = JSON.parse(values.value);
    } catch {
      // Said below.
    }
    const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
    say(values, valuesSaid, isObject ? '' : t('try.valuesWrong'));
    if (!isObject) return null;
    return 'code' in payload || 'link' in payload ? payload : { ...payload, code: TEST_CODE };
  }

  async function submit(event) {
    event.preventDefault();
    if (isSending) return;
    const to = number.value.trim();
    say(number, numberSaid, to ? '' : t('try.numberMissing'));
    const payload = payloadOf();
    if (!to) return number.focus();
    if (payload === null) {
      values.closest('details').open = true;
      return values.focus();
    }
    isSending = true;
    send.setAttribute('aria-disabled', 'true');
    const order = { to, type: usageType.value, payload };
    if (locale.value) order.locale = locale.value;
    await shownDelivery.send(order);
    isSending = false;
    send.removeAttribute('aria-disabled');
  }

  function typeName(type) {
    return context.has(`try.type.${type}`) ? `${t(`try.type.${type}`)} (${type})` : type;
  }
}
