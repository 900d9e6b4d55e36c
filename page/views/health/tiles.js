// The parts of the service, each with a figure, words on what it means, and more in a table.

import { el, replace } from '../../dom.js';
import { quantile } from '../../metrics.js';
import * as judge from './judge.js';

const { LATELY, read, sum } = judge;

export const BADGES = { bad: 'bad', watch: 'warn', good: 'good', quiet: '' };

export function createTiles(context) {
  const { t, has, formatNumber, formatDuration, formatCost, countryName, formatTime, formatMoment } = context;
  const count = (value) => formatNumber(value ?? 0, { maximumFractionDigits: 0 });
  const percent = (share) =>
    share === undefined ? '–' : formatNumber(share, { style: 'percent', maximumFractionDigits: 1 });
  const seconds = (value) => (value === undefined ? '–' : formatDuration(value * 1000));
  const word = (kind, key) => (has(`labels.${kind}_${key}`) ? t(`labels.${kind}_${key}`) : key);
  const country = (code) => (code === 'XX' ? t('health.noCountry') : countryName(code));
  const rows = (kind, counts) =>
    [...counts]
      .filter(([, value]) => value > 0)
      .sort(([, one], [, other]) => other - one)
      .map(([key, value]) => [word(kind, key), count(value)]);
  const tile = (name, options) => createTile(name, { ...options, country }, t);

  return [
    tile('sends', {
      judge: (history) => judge.judgeSends(history),
      figure: ({ latest }) => [count(read.sent(latest)), t('health.sendsUnit')],
      heads: ['outcome', 'calls'],
      rows: ({ latest }) => rows('outcome', read.outcomes(latest)),
    }),
    tile('limits', {
      judge: (history) => judge.judgeLimits(history),
      figure: ({ latest }) => [count(sum(read.refused(latest))), t('health.limitsUnit')],
      heads: ['limit', 'refused', 'monitored'],
      rows({ latest }) {
        const [refused, monitored] = [read.refused(latest), read.monitored(latest)];
        const names = [...new Set([...refused.keys(), ...monitored.keys()])];
        const touched = names.filter((name) => (refused.get(name) ?? 0) + (monitored.get(name) ?? 0) > 0);
        return touched.map((name) => [word('limit', name), count(refused.get(name)), count(monitored.get(name))]);
      },
    }),
    tile('delivery', {
      judge: ({ latest }) => judge.judgeDelivery(latest),
      figure({ latest }) {
        const all = {
          accepted: sum(read.accepted(latest)),
          delivered: sum(read.delivered(latest)),
          undelivered: sum(read.undelivered(latest)),
        };
        return [percent(judge.deliveryShare(all).share), t('health.deliveryUnit')];
      },
      heads: ['country', 'accepted', 'delivered', 'undelivered', 'share'],
      rows: ({ latest }) =>
        judge
          .deliveryByCountry(latest)
          .map((one) => [
            country(one.country),
            count(one.accepted),
            count(one.delivered),
            count(one.undelivered),
            percent(one.share),
          ]),
    }),
    tile('time', {
      judge: (history) => judge.judgeTime(ofDelivery(history, 0.95)),
      figure: (history) => [seconds(ofDelivery(history, 0.5)), t('health.timeUnit')],
      heads: ['share', 'within'],
      rows: (history) =>
        ofDelivery(history, 0.5) === undefined
          ? []
          : [0.5, 0.9, 0.95, 0.99].map((share) => [percent(share), seconds(ofDelivery(history, share))]),
    }),
    tile('reports', {
      judge: (history) => judge.judgeReports(history),
      figure: ({ latest }) => [count(read.reports(latest).get('applied')), t('health.reportsUnit')],
      heads: ['what', 'reports'],
      rows: ({ latest }) => [...rows('report', read.reports(latest)), ...rows('reason', read.reportsRefused(latest))],
    }),
    tile('gatewayapi', {
      judge: (history) => judge.judgeGatewayApi(history),
      figure({ latest }) {
        const answers = read.gatewayapi(latest);
        const all = sum(answers);
        return [percent(all > 0 ? (answers.get('accepted') ?? 0) / all : undefined), t('health.gatewayapiUnit')];
      },
      heads: ['answer', 'requests'],
      rows: ({ latest }) => [
        [
          t('health.breaker'),
          latest.value('sms_gatewayapi_breaker_state') === 1 ? t('health.breakerIsOpen') : t('health.breakerIsClosed'),
        ],
        [t('labels.outcome_accepted'), count(read.gatewayapi(latest).get('accepted'))],
        ...rows('kind', read.gatewayapiFaults(latest)),
        [t('health.retries'), count(latest.value('sms_retries_total'))],
        [t('health.late'), count(latest.sum('sms_late_outcomes_total'))],
      ],
    }),
    tile('credit', {
      judge: ({ latest }) => judge.judgeCredit(latest, Date.now() / 1000),
      figure({ latest }) {
        const credits = latest.series('sms_gatewayapi_credit');
        const asked = latest.value('sms_gatewayapi_credit_timestamp_seconds') ?? 0;
        const amounts = credits.map(({ labels, value }) => formatCost(value, labels.currency)).join(' · ');
        return [amounts || '–', asked > 0 ? t('health.creditAsked', { time: formatTime(asked * 1000) }) : ''];
      },
      heads: ['currency', 'spentSinceStart'],
      rows: ({ latest }) =>
        latest
          .series('sms_cost_total')
          .map(({ labels, value }) => [labels.currency, formatCost(value, labels.currency)]),
    }),
    tile('load', {
      judge: (history) => judge.judgeLoad(history),
      figure: ({ latest }) => [count(read.waiting(latest)), t('health.loadUnit')],
      heads: ['what', 'now'],
      rows: ({ latest }) => [[t('health.connections'), count(read.connections(latest))]],
    }),
    tile('database', {
      judge: (history) => judge.judgeDatabase(history),
      figure: ({ latest }) => [
        latest.value('sms_ledger_up') === 0 ? t('health.databaseIsAway') : t('health.databaseIsUp'),
        '',
      ],
      heads: ['what', 'now'],
      rows: ({ latest }) => [
        [t('health.databaseWaiting'), count(latest.value('sms_ledger_waiting'))],
        [t('health.databaseDropped'), count(latest.value('sms_ledger_dropped_total'))],
        [t('health.databaseWrite'), seconds(quantile(0.95, latest.buckets('sms_ledger_write_seconds')))],
      ],
    }),
    tile('spend', {
      judge: (history) => judge.judgeSpend(history),
      figure({ latest }) {
        const shares = latest
          .series('sms_limits_spend_ratio')
          .map(({ labels, value }) => `${percent(value)} ${labels.currency}`);
        return [shares.join(' · ') || '–', t('health.spendUnit')];
      },
    }),
    tile('templates', {
      judge: (history) => judge.judgeTemplates(history),
      figure: ({ latest }) => [
        count(latest.sum('sms_template_reloads_total', { result: 'loaded' })),
        t('health.templatesUnit'),
      ],
    }),
    tile('service', {
      judge: ({ latest }) => judge.judgeService(latest),
      figure({ latest }) {
        const started = latest.value('process_start_time_seconds');
        return [
          latest.series('sms_build_info')[0]?.labels.version ?? '–',
          started ? t('health.serviceUp', { uptime: uptime(Date.now() / 1000 - started, t) }) : '',
        ];
      },
      heads: ['what', 'now'],
      rows({ latest }) {
        const started = latest.value('process_start_time_seconds');
        const memory = formatNumber((latest.value('process_resident_memory_bytes') ?? 0) / 2 ** 20, {
          maximumFractionDigits: 0,
        });
        return [
          [t('health.serviceStarted'), started ? formatMoment(started * 1000) : '–'],
          [t('health.serviceMemory'), `${memory} MiB`],
          [
            t('health.serviceFiles'),
            `${count(latest.value('process_open_fds'))} / ${count(latest.value('process_max_fds'))}`,
          ],
        ];
      },
    }),
  ];
}

/** Seconds from acceptance to the phone: lately, or since the start where nothing arrived lately. */
function ofDelivery(history, share) {
  return (
    history.quantile(LATELY, share, 'sms_delivery_seconds') ??
    quantile(share, history.latest.buckets('sms_delivery_seconds'))
  );
}

function uptime(seconds, t) {
  const minutes = Math.floor(Math.max(0, seconds) / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return t('health.upDays', { days, hours });
  return hours > 0 ? t('health.upHours', { hours, minutes: minutes % 60 }) : t('health.upMinutes', { minutes });
}

/** One part of the service. `update` gives its state; what a person has opened stays open. */
function createTile(name, { judge, figure, heads, rows, country }, t) {
  const id = `health-${name}`;
  const badge = el('span', { class: 'badge' });
  const number = el('span', { class: 'figure number' });
  const unit = el('span', { class: 'hint' });
  const words = el('p', { class: 'tile-words' });
  const body = el('tbody');
  const details =
    heads &&
    el(
      'details',
      {},
      el('summary', {}, t(`health.${name}More`)),
      el(
        'div',
        {
          class: 'table-place',
          role: 'region',
          tabindex: 0,
          'aria-label': t('health.tableOf', { name: t(`health.${name}`) }),
        },
        el(
          'table',
          {},
          el(
            'thead',
            {},
            el(
              'tr',
              {},
              heads.map((head) => el('th', { scope: 'col' }, t(`health.head_${head}`))),
            ),
          ),
          body,
        ),
      ),
    );
  const element = el(
    'section',
    { class: 'card tile', 'aria-labelledby': id },
    el('div', { class: 'row apart' }, el('h2', { id }, t(`health.${name}`)), badge),
    el('p', { class: 'figures' }, number, ' ', unit),
    words,
    details,
  );
  return { element, name: t(`health.${name}`), update };

  function update(history) {
    const { state, label, words: said } = judge(history);
    badge.textContent = t(`health.state_${label}`);
    badge.className = `badge ${BADGES[state]}`;
    element.dataset.state = state;
    [number.textContent, unit.textContent] = figure(history);
    words.textContent = said
      .map(({ word, values, countries }) =>
        t(`health.${word}`, { ...values, ...rounded(values), names: countries?.map(country).join(', ') }),
      )
      .join(' ');
    if (details) {
      const found = rows(history);
      details.hidden = found.length === 0;
      replace(
        body,
        found.map(([first, ...others]) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row' }, first),
            others.map((value) => el('td', { class: 'number' }, value)),
          ),
        ),
      );
    }
    return state;
  }
}

/** Counts in a sentence are whole. */
function rounded(values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value) : value]),
  );
}
