// The last minutes as charts.

import { createChart } from './chart.js';
import { read, sum } from './judge.js';
import { LATELY } from './thresholds.js';

/** A rate is that of the milliseconds before. */
const SMOOTHING = 60_000;

export function createCharts(context) {
  const { t, formatNumber } = context;
  const few = (value) => formatNumber(value, { maximumFractionDigits: value < 10 ? 1 : 0 });
  const chart = (name, unit, series, points) => {
    const named = series.map(([key, colour, dash]) => ({ name: t(`health.${key}`), colour, dash }));
    const { element, update, end } = createChart(
      { name: t(`health.${name}`), unit: t(`health.${unit}`), series: named, format: few },
      context,
    );
    return { element, show: (history) => update(points(history)), end };
  };
  const gatewayapi = (accepted) => (metrics) => {
    const answers = read.gatewayapi(metrics);
    return accepted ? (answers.get('accepted') ?? 0) : sum(answers) - (answers.get('accepted') ?? 0);
  };
  return [
    chart(
      'chartSends',
      'perMinute',
      [
        ['seriesSent', '--good'],
        ['seriesLimited', '--warn', [6, 4]],
        ['seriesFailed', '--bad', [2, 3]],
      ],
      (history) => [read.sent, read.limited, read.failed].map((one) => history.perMinute(SMOOTHING, one)),
    ),
    chart(
      'chartGatewayapi',
      'perMinute',
      [
        ['seriesAccepted', '--good'],
        ['seriesFailed', '--bad', [2, 3]],
      ],
      (history) => [true, false].map((one) => history.perMinute(SMOOTHING, gatewayapi(one))),
    ),
    chart(
      'chartTime',
      'inSeconds',
      [
        ['seriesHalf', '--accent'],
        ['seriesMost', '--warn', [6, 4]],
      ],
      (history) => [0.5, 0.95].map((share) => history.quantiles(LATELY, share, 'sms_delivery_seconds')),
    ),
    chart(
      'chartLoad',
      'atATime',
      [
        ['seriesConnections', '--accent'],
        ['seriesWaiting', '--warn', [6, 4]],
      ],
      (history) => [read.connections, read.waiting].map((one) => history.values(one)),
    ),
  ];
}
