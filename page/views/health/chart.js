// A small chart of the last minutes, with a name, a summary and a table that say the same.

import { el, replace } from '../../dom.js';
import uPlot from '../../vendor/uplot.js';

const HEIGHT = 150;
/** Seconds. */
const SHORTEST = 300;
/** Rows of the table; more points are thinned out to these. */
const MOST_ROWS = 15;

/**
 * `series` are [{ name, colour }], a colour being one of the frame's variables; `format` writes a value.
 * `update([[[time, value], …] for each series])` shows new points, `end()` ends it.
 */
export function createChart({ name, unit, series, format }, { t, formatTime, language }) {
  const place = el('div', { class: 'chart', role: 'img' });
  const legend = el('ul', { class: 'legend' });
  const head = el(
    'tr',
    {},
    el('th', { scope: 'col' }, t('health.clock')),
    series.map((one) => el('th', { scope: 'col' }, one.name)),
  );
  const body = el('tbody');
  const element = el(
    'figure',
    { class: 'card stack chart-card' },
    el('figcaption', { class: 'row apart' }, el('h3', {}, name), el('span', { class: 'hint' }, unit)),
    place,
    legend,
    el(
      'details',
      {},
      el('summary', {}, t('health.asTable')),
      el(
        'div',
        { class: 'table-place chart-table', role: 'region', tabindex: 0, 'aria-label': `${name}, ${unit}` },
        el('table', {}, el('thead', {}, head), body),
      ),
    ),
  );
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const observer = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
  let plot = null;
  let points = [];
  observer.observe(place);
  dark.addEventListener('change', draw);
  return { element, update, end };

  function update(changed) {
    points = changed;
    const last = series.map((one, index) => [one.name, shown(points[index].at(-1)?.[1])]);
    const isEmpty = points.every((one) => one.length === 0);
    const summary = isEmpty ? t('health.gathering') : last.map(([label, value]) => `${label} ${value}`).join(', ');
    place.setAttribute('aria-label', `${name}, ${unit}: ${summary}`);
    replace(
      legend,
      last.map(([label, value], index) =>
        el(
          'li',
          {},
          swatch(series[index].colour),
          ` ${label} `,
          el('strong', { class: 'number' }, isEmpty ? '' : value),
        ),
      ),
    );
    const rows = thinned(points[0]);
    replace(
      body,
      rows.map(({ time, index }) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, formatTime(time)),
          points.map((one) => el('td', { class: 'number' }, shown(one[index]?.[1]))),
        ),
      ),
    );
    if (isEmpty) replace(place, el('p', { class: 'hint chart-empty' }, t('health.gathering')));
    else if (plot) plot.setData(columns());
    else draw();
  }

  function draw() {
    plot?.destroy();
    plot = null;
    if (!place.isConnected || !points[0]?.length) return;
    replace(place);
    const style = getComputedStyle(document.documentElement);
    const colour = (variable) => style.getPropertyValue(variable).trim();
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: `12px ${colour('--sans')}`,
    };
    const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    plot = new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          // Points that have just begun stand at the end of an empty stretch.
          x: { range: (_, first, last) => [Math.min(first, last - SHORTEST), last] },
          y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.1] },
        },
        axes: [
          {
            ...axis,
            size: 28,
            space: 70,
            values: (_, times) => times.map((time) => clock.format(time * 1000)),
            incrs: [60, 120, 300, 600],
          },
          { ...axis, size: 48, space: 32, values: (_, values) => values.map((value) => format(value)) },
        ],
        series: [
          {},
          ...series.map((one) => ({
            label: one.name,
            stroke: colour(one.colour),
            width: 2,
            dash: one.dash,
            points: { show: false },
            spanGaps: false,
          })),
        ],
      },
      columns(),
      place,
    );
    // The name says what the drawing shows.
    plot.root.setAttribute('aria-hidden', 'true');
  }

  function columns() {
    return [points[0].map(([time]) => time / 1000), ...points.map((one) => one.map(([, value]) => value))];
  }

  function shown(value) {
    return value === null || value === undefined ? '–' : format(value);
  }

  function end() {
    observer.disconnect();
    dark.removeEventListener('change', draw);
    plot?.destroy();
    plot = null;
  }
}

function swatch(colour) {
  return el('span', { class: `swatch swatch${colour}`, 'aria-hidden': 'true' });
}

/** The newest first, evenly chosen. */
function thinned(points) {
  const step = Math.max(1, Math.ceil(points.length / MOST_ROWS));
  const indexes = points.map((_, index) => index).filter((index) => (points.length - 1 - index) % step === 0);
  return indexes.reverse().map((index) => ({ time: points[index][0], index }));
}
