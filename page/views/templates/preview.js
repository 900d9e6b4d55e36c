// What a message would say in one language of the file that is edited.

import { el, replace } from '../../dom.js';
import { field } from '../../fields.js';
import { phone } from '../try/phone.js';
import { languageOf } from './parts.js';

/** `onChoice` is told when another text is to be shown. */
export function createPreview(context, { onChoice }) {
  const { t } = context;
  const seen = phone(context);
  const chosen = el('select', { id: 'preview-locale', change: () => choose(chosen.value) });
  const withoutCode = el('input', { type: 'checkbox', id: 'preview-without-code', change: turn });
  const option = el(
    'p',
    { class: 'row', hidden: true },
    withoutCode,
    el('label', { for: 'preview-without-code' }, t('templates.withoutCode')),
  );
  const note = el('p', { class: 'note bad', hidden: true }, t('templates.noPreview'));
  const element = el(
    'div',
    { class: 'stack preview' },
    field('preview-locale', t('templates.previewOf'), chosen),
    option,
    seen.element,
    note,
  );
  let locale = '';
  let options = '';
  let shown;
  const isWithoutCode = () => withoutCode.checked && !option.hidden;
  return { element, update, choose, locale: () => locale, isWithoutCode, show };

  /** The file has changed. */
  function update(file) {
    const locales = file.texts.map((text) => text.locale ?? '');
    if (!locales.includes(locale)) {
      locale = locales[0] ?? '';
      setStale();
    }
    if (options !== locales.join()) {
      options = locales.join();
      replace(
        chosen,
        [...new Set(locales)].map((one) => el('option', { value: one }, languageOf(one, context))),
      );
    }
    chosen.value = locale;
    option.hidden = file.usageType !== 'OrganizationInvitation';
  }

  function choose(one) {
    const wanted = one ?? '';
    if (wanted === locale) return;
    locale = wanted;
    chosen.value = locale;
    turn();
  }

  function turn() {
    setStale();
    onChoice();
  }

  /** What is shown, and why nothing is, is about another text. */
  function setStale() {
    note.hidden = true;
    seen.element.classList.add('stale');
  }

  /** The service's answer about the text, if there is one yet; `isNear`: it is on its way, and what was shown stays. */
  function show(answer, isNear) {
    if (!answer && isNear) return;
    // Why it was refused stands among the faults.
    note.hidden = !answer?.refusal;
    seen.element.classList.toggle('stale', !answer?.preview);
    if (answer?.preview && answer !== shown) seen.show({ ...answer.preview, locale: locale || answer.preview.locale });
    shown = answer ?? shown;
  }
}
