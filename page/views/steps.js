// The steps of a message, with the time that each took.

import { el } from '../dom.js';

/**
 * `items` are `{ name, state, more, took, since }`, with `state` one of done, failed, waiting and ahead, `since` the
 * milliseconds for which one has lasted, and `total` what they took together; other times as `durations` gives them.
 */
export function stepList(items, total, { t, formatTook, formatDuration }) {
  const time = ({ took, since = null }) => {
    if (took) return t('steps.took', { time: formatTook(took) });
    return since === null || since < 1000 ? '' : t('steps.lasts', { time: formatDuration(1000 * Math.floor(since / 1000)) });
  };
  return [
    el(
      'ol',
      { class: 'steps' },
      items.map(({ name, state, more, ...times }) =>
        el(
          'li',
          { class: `step ${state}` },
          el('span', { class: 'step-mark', 'aria-hidden': 'true' }),
          el('span', { class: 'step-name' }, name, el('span', { class: 'visually-hidden' }, ` (${t(`steps.is.${state}`)})`)),
          el('span', { class: 'step-more number muted' }, more ?? ''),
          el('span', { class: 'step-time number muted' }, time(times)),
        ),
      ),
    ),
    total && el('p', { class: 'steps-total number' }, totalWords(total, { t, formatTook })),
  ];
}

export function totalWords(total, { t, formatTook }) {
  return t('steps.total', { time: formatTook(total) });
}
