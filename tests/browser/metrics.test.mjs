// The figures of the view "Health": read from the Prometheus text format, followed over time, and judged.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { History } from '../../page/history.js';
import { Metrics, increase, quantile } from '../../page/metrics.js';
import * as judge from '../../page/views/health/judge.js';
import { CATALOGUES } from '../../page/words.js';
import { startSandbox } from './sandbox.mjs';

const repository = new URL('../../', import.meta.url);
const words = CATALOGUES.health.en;
const labels = CATALOGUES.labels.en;

let sandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(() => sandbox?.stop());

test('the text format is read', () => {
  const metrics = new Metrics(`# HELP a A.
# TYPE a counter
a 1
b{x="1",y="two"} 2.5
b{x="2",y="tw\\"o\\\\\\n,}"} 1e3 1700000000
b { x = "3" , } NaN
c_bucket{le="0.5"} 1
c_bucket{le="+Inf"} 3
c_bucket{le="0.1"} 0
-broken 1
d{x="1" 2
e{} -Inf

f`);
  assert.equal(metrics.value('a'), 1);
  assert.equal(metrics.value('b', { y: 'tw"o\\\n,}' }), 1000);
  assert.ok(Number.isNaN(metrics.value('b', { x: '3' })));
  assert.equal(metrics.value('e'), -Infinity);
  assert.deepEqual(metrics.buckets('c'), [
    [0.1, 0],
    [0.5, 1],
    [Infinity, 3],
  ]);
  for (const name of ['d', 'f', 'broken', 'toString', '__proto__']) assert.equal(metrics.value(name), undefined);
  assert.equal(new Metrics('a{__proto__="x"} 1').value('a', { __proto__: null }), 1);
  assert.deepEqual(
    [...new Metrics('a{l="x",m="1"} 1\na{l="x",m="2"} 2\na{l="y"} 4').by('l', 'a')],
    [
      ['x', 3],
      ['y', 4],
    ],
  );
});

test('quantiles are those of Prometheus', () => {
  const buckets = [
    [1, 10],
    [2, 30],
    [5, 40],
    [Infinity, 40],
  ];
  assert.equal(quantile(0.5, buckets), 1.5);
  assert.equal(quantile(0.25, buckets), 1);
  assert.equal(quantile(1, buckets), 5);
  assert.equal(
    quantile(0.99, [
      [1, 0],
      [Infinity, 5],
    ]),
    1,
  );
  assert.equal(
    quantile(0.5, [
      [1, 0],
      [Infinity, 0],
    ]),
    undefined,
  );
  assert.equal(quantile(0.5, []), undefined);
});

test('growth is followed, over a restart and a gap too', () => {
  assert.deepEqual([increase(3, 5), increase(5, 2), increase(0, 0)], [2, 2, 0]);
  const history = new History(60_000);
  const total = (metrics) => metrics.sum('n');
  [
    [0, 10],
    [5, 13],
    [10, 2],
    [40, 8],
    [45, 8],
  ].forEach(([second, n]) => history.add(second * 1000, new Metrics(`n{k="a"} ${n}\ng ${second}`)));
  assert.equal(history.grown(60_000, total), 11);
  assert.equal(history.grown(10_000, total), 0);
  assert.equal(history.grown(36_000, total), 6);
  assert.deepEqual([...history.grownBy(60_000, (metrics) => metrics.by('k', 'n'))], [['a', 11]]);
  assert.deepEqual(history.perMinute(10_000, total), [
    [5000, 36],
    [10_000, 30],
    [40_000, 12],
    [45_000, 0],
  ]);
  assert.deepEqual(
    history.values((metrics) => metrics.value('g')).map(([, value]) => value),
    [0, 5, 10, 40, 45],
  );
  history.add(100_000, new Metrics('n{k="a"} 9'));
  assert.deepEqual(
    history.values(total).map(([time]) => time),
    [45_000, 100_000],
  );
});

test('a quantile is that of the time asked for', () => {
  const history = new History(600_000);
  const scrape = (fast, slow) =>
    new Metrics(`t_bucket{le="1"} ${fast}\nt_bucket{le="10"} ${fast + slow}\nt_bucket{le="+Inf"} ${fast + slow}`);
  history.add(0, scrape(100, 0));
  history.add(5000, scrape(100, 4));
  history.add(10_000, scrape(100, 4));
  assert.equal(history.quantile(60_000, 0.5, 't'), 5.5);
  assert.equal(history.quantile(5000, 0.5, 't'), undefined);
  assert.deepEqual(history.quantiles(5000, 0.5, 't'), [
    [5000, 5.5],
    [10_000, null],
  ]);
});

/** A history of scrapes 5 s apart. */
function lately(...texts) {
  const history = new History(600_000);
  texts.forEach((text, index) => history.add(index * 5000, new Metrics(text)));
  return history;
}
const now = (text) => new Metrics(text);
const calls = (accepted, failed) =>
  `sms_accepted_total{country="DK"} ${accepted}\nsms_requests_total{outcome="not_sent",usage_type="SignIn"} ${failed}`;
const reported = (delivered, failed, country = 'DK') =>
  `sms_accepted_total{country="${country}"} 50\nsms_delivered_total{country="${country}"} ${delivered}\nsms_undelivered_total{country="${country}",error_group="HLR"} ${failed}`;
const gatewayapi = (breaker, credit, busy) =>
  `sms_gatewayapi_breaker_state ${breaker}\nsms_gatewayapi_requests_total{outcome="accepted",error_kind=""} 5\nsms_gatewayapi_requests_total{outcome="account_fault",error_kind="credit"} ${credit}\nsms_gatewayapi_requests_total{outcome="not_sent",error_kind="transient"} ${busy}`;
const credit = (amount, { asked = 100_000, spent = 0, started = 0 } = {}) =>
  `sms_gatewayapi_credit{currency="EUR"} ${amount}\nsms_gatewayapi_credit_timestamp_seconds ${asked}\nsms_cost_total{currency="EUR"} ${spent}\nprocess_start_time_seconds ${started}`;
const waiting = (count) => `sms_messages_waiting ${count}`;

for (const [name, verdict, state, word] of [
  ['no calls', judge.judgeSends(lately('')), 'quiet', 'sendsNone'],
  ['all calls good', judge.judgeSends(lately(calls(0, 2), calls(9, 2))), 'good', 'sendsGood'],
  ['numbers refused', judge.judgeSends(lately('', 'sms_requests_total{outcome="rejected"} 9')), 'good', 'sendsGood'],
  ['one of two failed', judge.judgeSends(lately(calls(0, 0), calls(1, 1))), 'watch', 'sendsFailed'],
  ['half failed', judge.judgeSends(lately(calls(0, 0), calls(5, 5))), 'bad', 'sendsFailed'],
  ['limits that rest', judge.judgeLimits(lately('sms_limits_refused_total{limit="ip"} 2')), 'good', 'limitsQuiet'],
  ['failures before the page', judge.judgeSends(lately(calls(0, 10))), 'watch', 'sendsFailedBefore'],
  ['failures long ago', judge.judgeSends(lately(...Array(61).fill(calls(0, 10)))), 'good', 'sendsGood'],
  [
    'refusals before the page',
    judge.judgeLimits(lately('sms_limits_refused_total{limit="ip"} 7')),
    'watch',
    'limitsRefusedBefore',
  ],
  ['faults before the page', judge.judgeGatewayApi(lately(gatewayapi(0, 5, 5))), 'watch', 'gatewayapiFailedBefore'],
  ['all parts, at first', judge.judgeAll(['good', 'quiet'], lately('', '')), 'quiet', 'allWatching'],
  ['all parts, later', judge.judgeAll(['good', 'quiet'], lately(...Array(61).fill(''))), 'good', 'allGood'],
  ['all parts, one to look at', judge.judgeAll(['good', 'watch'], lately('')), 'watch', 'allWatch'],
  ['all parts, one wrong', judge.judgeAll(['bad', 'watch'], lately('')), 'bad', 'allBad'],
  [
    'a refusal',
    judge.judgeLimits(lately('sms_limits_refused_total{limit="ip"} 7', 'sms_limits_refused_total{limit="ip"} 8')),
    'watch',
    'limitsRefused',
  ],
  [
    'a monitored refusal',
    judge.judgeLimits(lately('', 'sms_limits_monitored_total{limit="range"} 1')),
    'watch',
    'limitsMonitored',
  ],
  ['nothing accepted', judge.judgeDelivery(now('')), 'quiet', 'deliveryNone'],
  ['no report yet', judge.judgeDelivery(now('sms_accepted_total{country="DK"} 2')), 'quiet', 'deliveryWaiting'],
  ['never a report', judge.judgeDelivery(now('sms_accepted_total{country="DK"} 20')), 'watch', 'deliveryNoReports'],
  ['few reports', judge.judgeDelivery(now(reported(1, 3))), 'quiet', 'deliveryFew'],
  ['good delivery', judge.judgeDelivery(now(reported(48, 2))), 'good', 'deliveryGood'],
  [
    'poor delivery in one country',
    judge.judgeDelivery(now(`${reported(48, 2)}\n${reported(30, 20, 'DE')}`)),
    'watch',
    'deliveryLow',
  ],
  [
    'no delivery in one country',
    judge.judgeDelivery(now(`${reported(48, 2)}\n${reported(1, 49, 'DE')}`)),
    'bad',
    'deliveryLow',
  ],
  ['no times', judge.judgeTime(undefined), 'quiet', 'timeNone'],
  ['fast', judge.judgeTime(4), 'good', 'timeGood'],
  ['slow', judge.judgeTime(30), 'watch', 'timeSlow'],
  ['very slow', judge.judgeTime(90), 'bad', 'timeSlow'],
  ['a GatewayAPI that was not asked', judge.judgeGatewayApi(lately('')), 'quiet', 'gatewayapiNone'],
  [
    'a good GatewayAPI',
    judge.judgeGatewayApi(lately(gatewayapi(0, 1, 1), gatewayapi(0, 1, 1))),
    'good',
    'gatewayapiGood',
  ],
  [
    'a busy GatewayAPI',
    judge.judgeGatewayApi(lately(gatewayapi(0, 0, 0), gatewayapi(0, 0, 1))),
    'watch',
    'adviceTransient',
  ],
  ['an account fault', judge.judgeGatewayApi(lately(gatewayapi(0, 0, 0), gatewayapi(0, 1, 0))), 'bad', 'adviceCredit'],
  ['an open breaker', judge.judgeGatewayApi(lately(gatewayapi(1, 0, 0))), 'bad', 'breakerOpen'],
  [
    'credit not asked for',
    judge.judgeCredit(now('sms_gatewayapi_credit_timestamp_seconds 0'), 100_000),
    'quiet',
    'creditUnknown',
  ],
  ['credit', judge.judgeCredit(now(credit(100)), 100_000), 'good', 'creditGood'],
  ['no credit', judge.judgeCredit(now(credit(0)), 100_000), 'bad', 'creditGone'],
  [
    'credit for two days',
    judge.judgeCredit(now(credit(2, { spent: 1, started: 100_000 - 86_400 })), 100_000),
    'watch',
    'creditLow',
  ],
  [
    'credit for hours',
    judge.judgeCredit(now(credit(0.5, { spent: 1, started: 100_000 - 86_400 })), 100_000),
    'bad',
    'creditLow',
  ],
  ['credit known an hour ago', judge.judgeCredit(now(credit(9, { asked: 96_000 })), 100_000), 'watch', 'creditOld'],
  [
    'credit of a service that does not know its start',
    judge.judgeCredit(now(credit(0.01, { spent: 100_000 })), 100_000),
    'good',
    'creditGood',
  ],
  ['nothing waiting', judge.judgeLoad(lately(waiting(9), waiting(0))), 'good', 'loadGood'],
  ['a crowd', judge.judgeLoad(lately(waiting(0), waiting(9))), 'watch', 'loadWaiting'],
  ['a crowd that stays', judge.judgeLoad(lately(...Array(4).fill(waiting(9)))), 'bad', 'loadLasting'],
  ['a database', judge.judgeDatabase(lately('sms_ledger_up 1')), 'good', 'databaseGood'],
  ['no database', judge.judgeDatabase(lately('sms_ledger_up 0\nsms_ledger_waiting 3')), 'bad', 'databaseAway'],
  [
    'no database, which is required',
    judge.judgeDatabase(lately('', 'sms_ledger_up 0\nsms_requests_total{outcome="ledger_away"} 1')),
    'bad',
    'databaseNoCodes',
  ],
  ['writes lost', judge.judgeDatabase(lately('', 'sms_ledger_dropped_total 3')), 'watch', 'databaseLost'],
  ['writes lost long ago', judge.judgeDatabase(lately('sms_ledger_dropped_total 3')), 'good', 'databaseGood'],
  [
    'a budget that refuses',
    judge.judgeSpend(lately('sms_limits_spend_ratio{currency="EUR"} 0.9\nsms_limits_refused_total{limit="spend"} 1')),
    'bad',
    'spendGone',
  ],
  [
    'templates refused long ago',
    judge.judgeTemplates(lately('sms_template_reloads_total{result="refused"} 1')),
    'good',
    'templatesAsStarted',
  ],
  ['no budget', judge.judgeSpend(lately('')), 'quiet', 'spendNone'],
  ['a budget', judge.judgeSpend(lately('sms_limits_spend_ratio{currency="EUR"} 0.5')), 'good', 'spendGood'],
  ['most of a budget', judge.judgeSpend(lately('sms_limits_spend_ratio{currency="EUR"} 0.8')), 'watch', 'spendHigh'],
  ['a spent budget', judge.judgeSpend(lately('sms_limits_spend_ratio{currency="EUR"} 1')), 'bad', 'spendGone'],
  ['templates as started', judge.judgeTemplates(lately('')), 'good', 'templatesAsStarted'],
  [
    'new templates',
    judge.judgeTemplates(lately('sms_template_reloads_total{result="loaded"} 1')),
    'good',
    'templatesLoaded',
  ],
  [
    'refused templates',
    judge.judgeTemplates(lately('', 'sms_template_reloads_total{result="refused"} 1')),
    'watch',
    'templatesRefused',
  ],
  ['no reports', judge.judgeReports(lately('')), 'quiet', 'reportsNone'],
  ['reports', judge.judgeReports(lately('sms_delivery_reports_total{result="applied"} 4')), 'good', 'reportsGood'],
  [
    'a wrong signature',
    judge.judgeReports(lately('', 'sms_delivery_reports_refused_total{reason="signature"} 1')),
    'watch',
    'reportsUnsigned',
  ],
  [
    'reports that could not be written',
    judge.judgeReports(lately('', 'sms_delivery_reports_refused_total{reason="ledger_away"} 1')),
    'watch',
    'reportsAway',
  ],
  ['a service', judge.judgeService(now('process_open_fds 9\nprocess_max_fds 1024')), 'good', 'serviceGood'],
  ['too many files', judge.judgeService(now('process_open_fds 1000\nprocess_max_fds 1024')), 'watch', 'serviceFull'],
]) {
  test(`the verdict on ${name}`, () => {
    assert.deepEqual([verdict.state, verdict.words[0].word], [state, word]);
    assert.ok(
      verdict.words.every((one) => Object.values(CATALOGUES.health).every((language) => one.word in language)),
      word,
    );
    assert.ok(`state_${verdict.label}` in words, verdict.label);
  });
}

const source = (path) => readFileSync(new URL(path, repository), 'utf8');

test('each metric that the page names is one of the service', async () => {
  const scripts = readdirSync(new URL('page/', repository), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.js') && !path.startsWith('vendor'));
  const named = new Set(
    scripts.flatMap((path) => source(`page/${path}`).match(/(?<=['"])(sms|process)_[a-z_]+(?=['"])/g) ?? []),
  );
  assert.ok(named.size > 20, [...named].join());
  const declared = new Set([...source('src/metrics.rs').matchAll(/"(sms_[a-z_]+)"/g)].map(([, name]) => name));
  const { body } = await sandbox.api('/metrics');
  const shown = new Set([...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
  assert.deepEqual(
    [...named].filter((name) => !declared.has(name) && !shown.has(name)),
    [],
  );
  assert.deepEqual(
    [...named].filter((name) => name.startsWith('process_') && !shown.has(name)),
    [],
  );
});

test('each label that the page may show has words', () => {
  const help = (name) => source('README.md').match(new RegExp(`\\| \`${name}\` \\|[^|]*\\|([^|]*)\\|`))[1];
  const list = (text) =>
    text.match(/\b[a-z]+(_[a-z]+)*\b/g).filter((word) => !['calls', 'outcomes', 'and'].includes(word));
  const strings = (path, type) => {
    const [, body] = source(path).split(new RegExp(`\\nimpl ${type} \\{`));
    return [...body.slice(0, body.indexOf('\n}\n')).matchAll(/=> "(\w+)"/g)].map(([, name]) => name);
  };
  const asked = {
    outcome: list(help('sms_requests_total')),
    limit: strings('src/limits.rs', 'Limit'),
    kind: strings('src/gatewayapi/error.rs', 'FailureKind').filter(
      (name) => !['rejected', 'account_fault', 'not_sent', 'unknown'].includes(name),
    ),
    report: list(help('sms_delivery_reports_total')),
    reason: list(help('sms_delivery_reports_refused_total')),
  };
  for (const [kind, names] of Object.entries(asked)) {
    assert.ok(names.length > 4, `${kind}: ${names}`);
    assert.deepEqual(
      names.filter((name) => !(`${kind}_${name}` in labels)),
      [],
      kind,
    );
  }
});
