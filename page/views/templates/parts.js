// What the parts of the view share.

import { el } from '../../dom.js';
import { shortEncodingName } from '../../encoding.js';

/** Words with `code` in them, as nodes. */
export function code(words) {
  return words.split('`').map((part, index) => (index % 2 === 1 ? el('code', {}, part) : part));
}

/** Hands a file to the person. */
export function offer(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = el('a', { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has the file once it has begun to write it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A message as a phone shows it, with its measure. */
export function bubble(preview, t) {
  return [
    el('p', { class: 'bubble', dir: 'auto', lang: preview.locale }, preview.text),
    el(
      'p',
      { class: 'row measure' },
      el('span', { class: 'badge' }, shortEncodingName(preview.encoding)),
      el(
        'span',
        { class: preview.segments > 1 ? 'badge warn' : 'badge good' },
        t('templates.segments', { count: preview.segments }),
      ),
      el('span', { class: 'hint number' }, t('templates.units', { count: preview.units })),
    ),
  ];
}

/** What a text's language is called; `''` is everybody's. */
export function languageOf(locale, { t, languageName }) {
  return locale ? `${languageName(locale)} (${locale})` : t('templates.everybody');
}

/** A fault in words, as nodes: which language it is in, what it is, and in English what the template engine says. */
export function explained(fault, context) {
  const { t } = context;
  const { locale } = fault.values;
  const mark = '\u0000';
  const sentence = t(`templates.${fault.word}`, { ...fault.values, detail: mark });
  const whole = locale ? t('templates.inLanguage', { language: languageOf(locale, context), sentence }) : sentence;
  const [before, after = ''] = whole.split(mark);
  return [before, fault.detail ? el('span', { lang: 'en', class: 'hint' }, fault.detail) : null, after];
}

/** The same as a text. */
export function explainedAsText(fault, context) {
  return el('p', {}, explained(fault, context)).textContent;
}
