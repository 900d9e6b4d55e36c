// The steps of a message, with the time that each took.

import { el } from '../dom.js';

/**
 * `items` are `{ name, state, more, took }`, with `state` one of done, failed, waiting and ahead, and `total` is what
 * they took together; both times as `durations` gives them.
 */
export function stepList(items, total, { t, formatTook }) {
  return [
    el(
      'ol',
      { class: 'steps' },
      items.map(({ name, state, more, took }) =>
        el(
          'li',
          { class: `step ${state}` },
          el('span', { class: 'step-mark', 'aria-hidden': 'true' }),
          el('span', { class: 'step-name' }, name, el('span', { class: 'visually-hidden' }, ` (${t(`steps.is.${state}`)})`)),
          el('span', { class: 'step-more number muted' }, more ?? ''),
          el('span', { class: 'step-time number muted' }, took ? t('steps.took', { time: formatTook(took) }) : ''),
        ),
      ),
    ),
    total && el('p', { class: 'steps-total number' }, totalWords(total, { t, formatTook })),
  ];
}

export function totalWords(total, { t, formatTook }) {
  return t('steps.total', { time: formatTook(total) });
}
