// Fields of a form, and what is said of them.

import { el } from './dom.js';

export function field(id, label, input, ...more) {
  return el('div', { class: 'field' }, el('label', { for: id }, label), input, ...more);
}

/** Puts a word under a field, or takes it away. */
export function say(input, place, sentence) {
  place.textContent = sentence;
  if (sentence) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}
