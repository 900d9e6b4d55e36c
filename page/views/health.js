// How the service is: figures with words on what they mean, and the last minutes as charts.

import { el, replace } from '../dom.js';
import { History } from '../history.js';
import { Metrics } from '../metrics.js';
import { explainFault } from '../outcomes.js';
import { pause } from '../pause.js';
import { createCharts } from './health/charts.js';
import { judgeAll } from './health/judge.js';
import { BADGES, createTiles } from './health/tiles.js';

export const title = 'health.title';

const INTERVAL = 5_000;
/** The last hour changes slowly, and costs the ledger more than a scrape costs the service. */
const LEDGER_INTERVAL = 30_000;
/** It outlives the view, so that whoever comes back finds the last minutes. */
const history = new History(15 * 60_000);

export function show(root, context) {
  const { api, t, formatTime, signal } = context;
  const overall = el('p', { class: 'note', role: 'status' }, t('health.gathering'));
  const away = el('p', { class: 'note bad', role: 'alert', hidden: true });
  const tiles = createTiles(context);
  const charts = createCharts(context);
  /** The last answer of the ledger: undefined before the first, null while there is none. */
  let deliveries;
  replace(
    root,
    away,
    overall,
    el(
      'div',
      { class: 'tiles' },
      tiles.map(({ element }) => element),
    ),
    el('h2', {}, t('health.lastMinutes')),
    el('p', { class: 'hint' }, t('health.scopeCharts')),
    el(
      'div',
      { class: 'charts' },
      charts.map(({ element }) => element),
    ),
    el('p', { class: 'hint' }, t('health.about')),
  );
  poll();
  follow();
  return () => charts.forEach((chart) => chart.end());

  async function poll() {
    while (!signal.aborted) {
      const isThere = await scrape();
      if (signal.aborted) return;
      if (isThere) update();
      await pause(INTERVAL, signal, { seen: true });
    }
  }

  async function follow() {
    while (!signal.aborted) {
      deliveries = await ask();
      if (signal.aborted) return;
      if (history.latest) update();
      await pause(deliveries ? LEDGER_INTERVAL : INTERVAL, signal, { seen: true });
    }
  }

  /** The database may be away while the service answers. */
  async function ask() {
    try {
      return await api.get('/api/deliveries', { signal });
    } catch {
      return null;
    }
  }

  async function scrape() {
    try {
      history.add(Date.now(), new Metrics(await api.text('/metrics', { signal })));
      away.hidden = true;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const since = history.latest ? ` ${t('health.asOf', { time: formatTime(history.time) })}` : '';
      const sentence = explainFault(error, context) + since;
      if (away.textContent !== sentence) away.textContent = sentence;
      away.hidden = false;
      return false;
    }
  }

  function update() {
    const states = tiles.map((tile) => tile.update(history, deliveries));
    const { state, words } = judgeAll(states, history);
    const names = tiles
      .filter((_, index) => states[index] === state)
      .map(({ name }) => name)
      .join(', ');
    const sentence = t(`health.${words[0].word}`, { ...words[0].values, names });
    // Said aloud when it changes, other than the seconds of watching.
    overall.setAttribute('aria-live', state === 'quiet' ? 'off' : 'polite');
    if (overall.textContent !== sentence) overall.textContent = sentence;
    overall.className = `note ${BADGES[state]}`;
    charts.forEach((chart) => chart.show(history));
  }
}
