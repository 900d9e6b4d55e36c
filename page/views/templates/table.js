// All usage types and languages, as the service has loaded them.

import { el } from '../../dom.js';
import { shortEncodingName } from '../../encoding.js';

/** `isChanged` tells of a usage type whether it was edited here, and `open` is called with a usage type and a language. */
export function createTable(loaded, { isChanged, open }, { t, languageName, signal }) {
  const locales = columnsOf(loaded);
  const changes = new Map();
  const firsts = new Map();

  const cell = (type, locale, template) => {
    const name = hidden(`${t('templates.cellOf', { type, language: languageName(locale), locale })}: `);
    if (!template) {
      const said = t('templates.missing', { locale: loaded.default_locale });
      return el('button', { class: 'cell none', type: 'button', title: said, click }, name, '–', hidden(` ${said}`));
    }
    const worst = template.samples.reduce((most, sample) => (sample.segments > most.segments ? sample : most));
    return el(
      'button',
      { class: worst.segments > 1 ? 'cell long' : 'cell', type: 'button', title: worst.text, click },
      name,
      el('span', {}, shortEncodingName(worst.encoding)),
      ' ',
      el('span', { class: 'cell-segments', 'aria-hidden': 'true' }, worst.segments),
      hidden(t('templates.segments', { count: worst.segments })),
    );

    function click() {
      open(type, locale);
    }
  };

  const rows = loaded.usage_types.map(({ type, falls_back_to: standIn, templates }) => {
    const changed = el('span', { class: 'badge warn', hidden: true }, t('templates.changed'));
    changes.set(type, changed);
    const head = el('th', { scope: 'row' }, el('span', { class: 'usage' }, el('span', {}, breakable(type)), changed));
    if (standIn) {
      const button = el(
        'button',
        { class: 'button small', type: 'button', click: () => open(type) },
        t('templates.writeOwn'),
      );
      firsts.set(type, button);
      const said = el('span', {}, t('templates.fallsBack', { standIn }));
      return el(
        'tr',
        { class: 'falls-back' },
        head,
        el('td', { colspan: locales.length }, el('span', { class: 'row stay' }, said, button)),
      );
    }
    const cells = locales.map((locale) =>
      cell(
        type,
        locale,
        templates.find((template) => template.locale === locale),
      ),
    );
    firsts.set(type, cells[0]);
    return el(
      'tr',
      {},
      head,
      cells.map((button) => el('td', {}, button)),
    );
  });

  const columns = locales.map((locale) =>
    el('th', { scope: 'col' }, el('abbr', { title: languageName(locale) }, locale)),
  );
  const scroll = el(
    'div',
    {
      class: 'templates-scroll',
      role: 'region',
      tabindex: 0,
      'aria-label': t('templates.tableLabel'),
      scroll: showMore,
    },
    el(
      'table',
      { class: 'templates-table' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('templates.usageType')), columns)),
      el('tbody', {}, rows),
    ),
  );
  const element = el(
    'section',
    { class: 'card stack', 'aria-labelledby': 'templates-loaded' },
    el(
      'div',
      {},
      el('h2', { id: 'templates-loaded' }, t('templates.loaded')),
      el('p', { class: 'hint' }, t('templates.loadedHint')),
    ),
    el(
      'div',
      { class: 'templates-place' },
      scroll,
      // Says to the eye that there is more.
      el('span', { class: 'more before', 'aria-hidden': 'true' }),
      el('span', { class: 'more after', 'aria-hidden': 'true' }),
    ),
  );
  const sizes = new ResizeObserver(showMore);
  sizes.observe(scroll);
  signal.addEventListener('abort', () => sizes.disconnect());
  markChanged();
  return { element, markChanged, focus: (type) => firsts.get(type)?.focus() };

  function showMore() {
    const { scrollLeft, clientWidth, scrollWidth, parentElement } = scroll;
    parentElement.classList.toggle('has-before', scrollLeft > 1);
    parentElement.classList.toggle('has-after', scrollLeft + clientWidth < scrollWidth - 1);
    // Where what scrolls begins, right of the names that stay.
    parentElement.style.setProperty('--stays', `${scroll.querySelector('th').offsetWidth}px`);
  }

  function markChanged() {
    for (const [type, badge] of changes) badge.hidden = !isChanged(type);
  }
}

/** The languages: first the one that stands in for others, then those of whoever looks, then the rest by their tags. */
function columnsOf({ usage_types: usageTypes, default_locale: defaultLocale }) {
  const locales = [...new Set(usageTypes.flatMap(({ templates }) => templates.map(({ locale }) => locale)))].sort();
  const language = (tag) => tag.toLowerCase().split(/[-_]/)[0];
  const nearest = (tag) =>
    locales.find((locale) => locale.toLowerCase() === tag.toLowerCase()) ??
    locales.find((locale) => language(locale) === language(tag));
  const first = [defaultLocale, ...navigator.languages].map(nearest).filter(Boolean);
  return [...new Set([...first, ...locales])];
}

/** A name such as `BindMfa`, which may break before its capitals. */
function breakable(name) {
  return name.split(/(?=[A-Z])/).flatMap((part, index) => (index === 0 ? part : [el('wbr'), part]));
}

/** For those who hear the page. */
function hidden(words) {
  return el('span', { class: 'visually-hidden' }, words);
}
