// The parts of the service, each with a figure, words on what it means, and more in a table.

import { el, replace } from '../../dom.js';
import { quantile } from '../../metrics.js';
import * as deliveries from './deliveries.js';
import * as judge from './judge.js';

const { read, sum } = judge;

export const BADGES = { bad: 'bad', watch: 'warn', good: 'good', quiet: '' };

export function createTiles(context) {
  const { t, has, formatNumber, formatDuration, formatCost, countryName, formatTime, formatMoment } = context;
  const count = (value) => formatNumber(value ?? 0, { maximumFractionDigits: 0 });
  const percent = (share) =>
    share === undefined ? '–' : formatNumber(share, { style: 'percent', maximumFractionDigits: 1 });
  const seconds = (value) => (value === undefined ? '–' : formatDuration(value * 1000));
  const word = (kind, key) => (has(`labels.${kind}_${key}`) ? t(`labels.${kind}_${key}`) : key);
  const country = (code) => (code === null ? t('health.noCountry') : countryName(code));
  /** Reports tell whole seconds. */
  const wholeSeconds = (value) => (value === 0 ? `< ${formatDuration(1000)}` : seconds(value));
  const countries = (list) =>
    list
      ?.map(({ country: code, count: arrived, of, seconds: took }) => {
        const name = country(code);
        return took === undefined
          ? t('health.shareOf', { name, count: count(arrived), of: count(of) })
          : t('health.timeOf', { name, time: wholeSeconds(took) });
      })
      .join(', ');
  const started = ({ latest }) => {
    const since = latest.value('process_start_time_seconds');
    return since ? t('health.scopeInstance', { since: formatTime(since * 1000) }) : t('health.scopeStart');
  };
  const scopes = {
    instance: started,
    now: () => t('health.scopeNow'),
    today: () => t('health.scopeToday'),
    account: () => t('health.scopeAccount'),
    ledger(_, found) {
      if (!found) return t('health.scopeAll');
      const { complete, since, total } = found.due;
      const minutes = deliveries.minutes(found);
      return complete
        ? t('health.scopeLedger', { minutes })
        : t('health.scopeLedgerPart', { count: count(total.messages), since: formatTime(since), minutes });
    },
  };
  const rows = (kind, counts) =>
    [...counts]
      .filter(([, value]) => value > 0)
      .sort(([, one], [, other]) => other - one)
      .map(([key, value]) => [word(kind, key), count(value)]);
  const tile = (name, scope, options) => createTile(name, { ...options, scope: scopes[scope], countries }, t);

  return [
    tile('sends', 'instance', {
      judge: (history) => judge.judgeSends(history),
      figure: ({ latest }) => [count(read.sent(latest)), t('health.sendsUnit')],
      heads: ['outcome', 'calls'],
      rows: ({ latest }) => rows('outcome', read.outcomes(latest)),
    }),
    tile('limits', 'instance', {
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
    tile('delivery', 'ledger', {
      judge: (_, found) => deliveries.judgeDelivery(found),
      figure: (_, found) => [percent(found ? deliveries.share(found.due.total) : undefined), t('health.deliveryUnit')],
      heads: ['country', 'share', 'delivered', 'undelivered', 'unconfirmed', 'overdue'],
      isWide: true,
      rows: (_, found) =>
        (found?.due.countries ?? [])
          .filter(({ outcomes }) => outcomes.accepted > 0)
          .map((tally) => [
            country(tally.country),
            percent(deliveries.share(tally)),
            count(tally.delivered),
            count(tally.undelivered),
            count(tally.unconfirmed),
            count(tally.overdue),
          ]),
    }),
    tile('time', 'ledger', {
      judge: (_, found) => deliveries.judgeTime(found),
      figure: (_, found) => [wholeSeconds(found?.due.total.time_to_delivery?.median), t('health.timeUnit')],
      heads: ['country', 'half', 'most'],
      rows: (_, found) =>
        (found?.due.countries ?? [])
          .filter(({ time_to_delivery: time }) => time !== null)
          .map(({ country: code, time_to_delivery: { median, p90 } }) => [
            country(code),
            wholeSeconds(median),
            wholeSeconds(p90),
          ]),
    }),
    tile('reports', 'instance', {
      judge: (history) => judge.judgeReports(history),
      figure: ({ latest }) => [count(read.reports(latest).get('applied')), t('health.reportsUnit')],
      heads: ['what', 'reports'],
      rows: ({ latest }) => [...rows('report', read.reports(latest)), ...rows('reason', read.reportsRefused(latest))],
    }),
    tile('gatewayapi', 'instance', {
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
    tile('credit', 'account', {
      judge: (history) => judge.judgeCredit(history, Date.now() / 1000),
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
    tile('load', 'now', {
      judge: (history) => judge.judgeLoad(history),
      figure: ({ latest }) => [count(read.waiting(latest)), t('health.loadUnit')],
      heads: ['what', 'now'],
      rows: ({ latest }) => [[t('health.connections'), count(read.connections(latest))]],
    }),
    tile('database', 'now', {
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
    tile('spend', 'today', {
      judge: (history) => judge.judgeSpend(history),
      figure({ latest }) {
        const shares = latest
          .series('sms_limits_spend_ratio')
          .map(({ labels, value }) => `${percent(value)} ${labels.currency}`);
        return [shares.join(' · ') || '–', t('health.spendUnit')];
      },
    }),
    tile('templates', 'instance', {
      judge: (history) => judge.judgeTemplates(history),
      figure: ({ latest }) => [
        count(latest.sum('sms_template_reloads_total', { result: 'loaded' })),
        t('health.templatesUnit'),
      ],
    }),
    tile('service', 'now', {
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
          [t('health.serviceConnections'), `${count(read.clients(latest))} / ${count(read.clientsMost(latest))}`],
          [
            t('health.serviceFiles'),
            `${count(latest.value('process_open_fds'))} / ${count(latest.value('process_max_fds'))}`,
          ],
        ];
      },
    }),
  ];
}

function uptime(seconds, t) {
  const minutes = Math.floor(Math.max(0, seconds) / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  if (days > 0) return t('health.upDays', { days, hours });
  if (hours > 0) return t('health.upHours', { hours, minutes: minutes % 60 });
  return minutes > 0 ? t('health.upMinutes', { minutes }) : t('health.upNow');
}

/**
 * One part of the service. `update` shows the scrapes of /metrics and the last answer of /api/deliveries, and gives the
 * part's state; what a person has opened stays open. With `isWide`, rows become blocks where the table has no room.
 */
function createTile(name, { judge, figure, heads, isWide = false, rows, scope, countries }, t) {
  const id = `health-${name}`;
  const badge = el('span', { class: 'badge' });
  const number = el('span', { class: 'figure number' });
  const unit = el('span', { class: 'hint' });
  const words = el('div', { class: 'tile-words' });
  let sentences = [];
  const of = el('p', { class: 'hint' });
  // A block takes the roles of a table from it.
  const role = (name) => (isWide ? name : null);
  const names = heads?.map((head) => t(`health.head_${head}`));
  const body = el('tbody', { role: role('rowgroup') });
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
          { class: isWide ? 'blocks' : null, role: role('table') },
          el(
            'thead',
            { role: role('rowgroup') },
            el(
              'tr',
              { role: role('row') },
              names.map((head) => el('th', { scope: 'col', role: role('columnheader') }, head)),
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
    of,
  );
  return { element, name: t(`health.${name}`), update };

  function update(history, found) {
    const { state, label, words: said } = judge(history, found);
    badge.textContent = t(`health.state_${label}`);
    badge.className = `badge ${BADGES[state]}`;
    element.dataset.state = state;
    [number.textContent, unit.textContent] = figure(history, found);
    say(said.map(({ word, values, countries: named }) => t(`health.${word}`, { ...rounded(values), names: countries(named) })));
    of.textContent = scope(history, found);
    if (details) {
      const shown = rows(history, found);
      details.hidden = shown.length === 0;
      replace(
        body,
        shown.map(([first, ...others]) =>
          el(
            'tr',
            { role: role('row') },
            el('th', { scope: 'row', role: role('rowheader') }, first),
            others.map((value, at) =>
              el('td', { class: 'number', role: role('cell'), 'data-head': isWide ? names[at + 1] : null }, value),
            ),
          ),
        ),
      );
    }
    return state;
  }

  /** What is said already stays, for who reads or selects it. */
  function say(said) {
    if (said.join() === sentences.join()) return;
    sentences = said;
    replace(words, said.length > 1 ? el('ul', {}, said.map((sentence) => el('li', {}, sentence))) : el('p', {}, said[0]));
  }
}

/** Counts in a sentence are whole. */
function rounded(values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value) : value]),
  );
}
