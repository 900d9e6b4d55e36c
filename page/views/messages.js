// The last messages, as they come.

import { el, replace } from '../dom.js';
import { field, say } from '../fields.js';
import { explainFault, isDelivered, statusName, statusTone } from '../outcomes.js';
import { pause } from '../pause.js';
import { durations, momentsOf } from '../times.js';

export const title = 'messages.title';

/** Milliseconds between two looks, and after the last key of a filter. */
const EACH = 3000;
const TYPING = 300;
const ROWS = 50;
const HOUR = 3600 * 1000;
const SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR };

/** What is looked for, kept for the way back from a message. Never in the address: a number has no place there. */
const wanted = { number: '', status: '', type: '', country: '', span: '' };

export async function show(root, context) {
  const { api, t, signal, formatTime, formatCost, formatTook, countryName, has, namesOf } = context;
  /** Where the shown page begins; empty: the newest. */
  let cursor = '';
  let next = null;
  let isPaused = false;
  /** The last question has not been answered. */
  let isAway = false;
  /** Nor could it be, as it was asked. */
  let isWrong = false;
  let asking = new AbortController();
  let typing = null;
  const rows = new Map();

  const said = el('p', { role: 'status', class: 'visually-hidden' });
  const trouble = el('div', { role: 'alert' });
  const numberSaid = el('p', { id: 'filter-number-said', class: 'field-said bad' });
  const countrySaid = el('p', { id: 'filter-country-said', class: 'field-said bad' });
  const number = input('number', { type: 'tel', autocomplete: 'off', 'aria-describedby': 'filter-number-said' });
  const country = input('country', {
    autocomplete: 'off',
    maxlength: 2,
    placeholder: 'DK',
    autocapitalize: 'characters',
    'aria-describedby': 'filter-country-said',
  });
  const filters = el(
    'form',
    { class: 'card filters', role: 'search', 'aria-label': t('messages.filters') },
    filter('number', number, numberSaid),
    filter('status', choice('status', namesOf('outcomes.status.'), (name) => statusName(name, context))),
    filter('type', choice('type', namesOf('try.type.'), (name) => name)),
    filter('country', country, countrySaid),
    filter('span', choice('span', Object.keys(SPANS), (name) => t(`messages.span.${name}`))),
    el('button', { class: 'button quiet', type: 'button', click: clear }, t('messages.clear')),
  );
  const live = el('span', { class: 'live' });
  const pauseButton = el('button', { class: 'button', type: 'button', click: togglePause });
  const body = el('tbody', { role: 'rowgroup' });
  const table = el(
    'table',
    { class: 'messages', role: 'table', 'aria-label': t('messages.title') },
    el(
      'thead',
      { role: 'rowgroup' },
      el(
        'tr',
        { role: 'row' },
        ['time', 'to', 'type', 'status', 'took', 'segments', 'cost'].map((name) =>
          el('th', { scope: 'col', role: 'columnheader', class: `column-${name}` }, t(`messages.${name}`)),
        ),
      ),
    ),
    body,
  );
  const none = el('p', { class: 'none muted' });
  const newest = el('button', { class: 'button', type: 'button', click: () => turn('') }, t('messages.newest'));
  const older = el('button', { class: 'button', type: 'button', click: () => turn(next) }, t('messages.older'));
  const list = el(
    'div',
    { class: 'stack' },
    el('div', { class: 'card flush' }, table, none),
    el('nav', { class: 'row', 'aria-label': t('messages.pages') }, newest, older),
  );
  root.append(
    said,
    filters,
    trouble,
    el('div', { class: 'row apart' }, live, pauseButton),
    list,
  );

  table.hidden = true;
  newest.parentElement.hidden = true;
  showPaused();
  await load();
  watch();
  return () => {
    clearTimeout(typing);
    asking.abort();
  };

  async function watch() {
    while (!signal.aborted) {
      await pause(EACH, signal, { seen: true });
      if (!signal.aborted && !isPaused && cursor === '') await load();
    }
  }

  /** Whether the answer came, and is the one to the last question. */
  async function load() {
    asking.abort();
    asking = new AbortController();
    const { signal: ended } = asking;
    try {
      const page = await api.get(`/api/messages?${query()}`, { signal: ended });
      if (ended.aborted) return false;
      isAway = isWrong = false;
      replace(trouble);
      say(number, numberSaid, '');
      say(country, countrySaid, '');
      put(page);
      return true;
    } catch (error) {
      if (!ended.aborted) complain(error);
    }
    return false;
  }

  function query() {
    const query = new URLSearchParams({ limit: ROWS });
    for (const name of ['number', 'status', 'type']) if (wanted[name]) query.set(name, wanted[name]);
    if (wanted.country) query.set('country', wanted.country.toUpperCase());
    if (wanted.span) query.set('since', new Date(Date.now() - SPANS[wanted.span]).toISOString());
    if (cursor) query.set('cursor', cursor);
    return query;
  }

  function complain(error) {
    const place = { number: [number, numberSaid], country: [country, countrySaid] }[error.problem?.parameter];
    if (error.status === 400 && place) {
      // A number that is still being typed is none yet.
      const sentence = t(`messages.wrong.${error.problem.parameter}`);
      say(number, numberSaid, '');
      say(country, countrySaid, '');
      say(...place, sentence);
      said.textContent = sentence;
      isAway = false;
      isWrong = true;
      // What was found before is no answer to what is looked for now.
      list.hidden = true;
      replace(trouble);
      showPaused();
      return;
    }
    isAway = true;
    isWrong = false;
    say(number, numberSaid, '');
    say(country, countrySaid, '');
    showPaused();
    const sentence = explainFault(error, context);
    if (trouble.textContent !== sentence) replace(trouble, el('div', { class: 'note bad' }, sentence));
  }

  function put({ messages, next: following }) {
    next = following;
    const shown = messages.map((message) => {
      const is = JSON.stringify(message);
      const known = rows.get(message.id);
      if (known?.is === is) return known.row;
      const row = rowOf(message);
      if (known) replaceInPlace(known.row, row);
      rows.set(message.id, { is, row });
      return row;
    });
    for (const id of rows.keys()) if (!messages.some((message) => message.id === id)) rows.delete(id);
    arrange(shown);
    list.hidden = false;
    table.hidden = messages.length === 0;
    none.hidden = messages.length > 0;
    const isFiltered = Object.values(wanted).some(Boolean);
    if (messages.length === 0) {
      replace(
        none,
        t(isFiltered ? 'messages.noneMatches' : 'messages.none'),
        isFiltered ? null : [' ', el('a', { href: '#/try' }, t('messages.tryOne'))],
        wanted.number && [' ', t('messages.noneRefused'), ' ', el('a', { href: '#/health' }, t('health.title'))],
      );
    }
    newest.hidden = cursor === '';
    older.hidden = next === null;
    newest.parentElement.hidden = newest.hidden && older.hidden;
    showPaused();
  }

  /** Puts rows in order, and moves only those that must move, so that focus stays. */
  function arrange(shown) {
    const wantedRows = new Set(shown);
    for (const row of [...body.children]) if (!wantedRows.has(row)) row.remove();
    shown.forEach((row, at) => {
      if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
    });
  }

  function replaceInPlace(old, row) {
    const isFocused = old.contains(document.activeElement);
    old.replaceWith(row);
    if (isFocused) row.querySelector('a').focus();
  }

  function rowOf(message) {
    const { id, admitted_at: admitted } = message;
    const { total } = durations(Object.values(momentsOf(message)).filter(Boolean));
    const took = isDelivered(message) && total ? formatTook(total) : '–';
    return el(
      'tr',
      { role: 'row' },
      el(
        'td',
        { role: 'cell', class: 'column-time number' },
        el('a', { href: `#/messages/${encodeURIComponent(id)}` }, el('time', { datetime: admitted }, formatTime(admitted))),
      ),
      el(
        'td',
        { role: 'cell', class: 'column-to' },
        el('span', { class: 'mono' }, message.to),
        message.country ? el('abbr', { class: 'muted', title: countryName(message.country) }, message.country) : null,
      ),
      el('td', { role: 'cell', class: 'column-type' }, message.usage_type),
      el(
        'td',
        { role: 'cell', class: 'column-status' },
        el('span', { class: `badge ${statusTone(message.status)}` }, statusName(message.status, context)),
      ),
      el('td', { role: 'cell', class: 'column-took number' }, took),
      el('td', { role: 'cell', class: 'column-segments number' }, message.segments ?? '–'),
      el('td', { role: 'cell', class: 'column-cost number' }, formatCost(message.cost, message.currency)),
    );
  }

  async function turn(to) {
    cursor = to;
    await load();
    table.scrollIntoView({ block: 'start' });
    // The button may be gone.
    if (!document.activeElement || document.activeElement === document.body) (newest.hidden ? older : newest).focus();
    said.textContent = t(cursor ? 'messages.olderShown' : 'messages.newestShown');
  }

  /** Looks for what all the filters say now. */
  async function apply() {
    clearTimeout(typing);
    for (const name of Object.keys(wanted)) wanted[name] = filters.querySelector(`#filter-${name}`).value.trim();
    cursor = '';
    if (await load()) said.textContent = t('messages.count', { count: body.children.length });
  }

  function clear() {
    filters.reset();
    apply();
  }

  function togglePause() {
    isPaused = !isPaused;
    showPaused();
    if (!isPaused && cursor === '') load();
  }

  function showPaused() {
    const isLive = !isPaused && !isAway && !isWrong && cursor === '';
    live.textContent = t(isLive ? 'messages.live' : 'messages.still');
    live.classList.toggle('is-live', isLive);
    pauseButton.textContent = t(isPaused ? 'messages.resume' : 'messages.pause');
    pauseButton.hidden = cursor !== '';
  }

  function input(name, attributes) {
    const made = el('input', {
      id: `filter-${name}`,
      spellcheck: 'false',
      ...attributes,
      input: () => {
        clearTimeout(typing);
        typing = setTimeout(apply, TYPING);
      },
      // A form of two fields without a button to send it does nothing of itself.
      keydown: (event) => event.key === 'Enter' && apply(),
    });
    made.value = wanted[name];
    return made;
  }

  function choice(name, values, label) {
    const made = el(
      'select',
      { id: `filter-${name}`, change: apply },
      el('option', { value: '' }, t('messages.all')),
      values.map((value) => el('option', { value }, label(value))),
    );
    made.value = wanted[name];
    return made;
  }

  function filter(name, made, ...more) {
    const key = has(`messages.filter.${name}`) ? `messages.filter.${name}` : `messages.${name}`;
    return field(`filter-${name}`, t(key), made, ...more);
  }
}
