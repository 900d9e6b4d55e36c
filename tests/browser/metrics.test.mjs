// The figures of the view "Health": read from the Prometheus text format, followed over time, and judged.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { History } from '../../page/history.js';
import { Metrics, increase, quantile } from '../../page/metrics.js';
import * as judge from '../../page/views/health/judge.js';
import { LATELY } from '../../page/views/health/thresholds.js';
import { CATALOGUES } from '../../page/words.js';
import { startSandbox } from './sandbox.mjs';
import { source } from './source.mjs';

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
  const history = new History(1.5 * LATELY);
  texts.forEach((text, index) => history.add(index * 5000, new Metrics(text)));
  return history;
}
/** Scrapes of the same, for longer than counts as lately. */
const longSince = (text) => lately(...Array(LATELY / 5000 + 1).fill(text));
const now = (text) => new Metrics(text);
/** With so many connections at each listener. */
const connected = ({ public: outside, operator }) =>
  now(
    [
      `sms_server_connections{listener="public"} ${outside}`,
      `sms_server_connections{listener="operator"} ${operator}`,
      'sms_server_connections_max{listener="public"} 2048',
      'sms_server_connections_max{listener="operator"} 256',
    ].join('\n'),
  );
const calls = (accepted, failed) =>
  `sms_accepted_total{country="DK"} ${accepted}\nsms_requests_total{outcome="not_sent",usage_type="SignIn"} ${failed}`;
/** Calls of Logto's by how they ended. */
const ended = (outcomes) =>
  Object.entries(outcomes)
    .map(([outcome, count]) => `sms_requests_total{outcome="${outcome}",usage_type="SignIn"} ${count}`)
    .join('\n');
const unread = (outcome, count) => `sms_requests_total{outcome="${outcome}",usage_type="unknown"} ${count}`;
const asked = (kind, faults, accepted) =>
  `sms_gatewayapi_requests_total{outcome="accepted",error_kind=""} ${accepted}\nsms_gatewayapi_requests_total{outcome="failed",error_kind="${kind}"} ${faults}`;
const limited = (kind, count, calls, limit = 'ip') =>
  `sms_limits_${kind}_total{limit="${limit}"} ${count}\n${ended({ accepted: calls })}`;
const answered = (slow, fast = 20) =>
  ['0.25', '5'].map((le) => `sms_stage_duration_seconds_bucket{stage="total",le="${le}"} ${le === '5' ? slow + fast : fast}`).join('\n') +
  `\nsms_stage_duration_seconds_bucket{stage="total",le="+Inf"} ${slow + fast}\nsms_stage_duration_seconds_count{stage="total"} ${slow + fast}`;
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
  ['one of a hundred failed', judge.judgeSends(lately(calls(0, 0), calls(99, 1))), 'good', 'sendsFailed'],
  ['few that all failed', judge.judgeSends(lately(calls(0, 0), calls(0, 9))), 'watch', 'sendsFailed'],
  ['one in eight failed', judge.judgeSends(lately(calls(0, 0), calls(70, 10))), 'bad', 'sendsFailed'],
  ['one in eleven failed', judge.judgeSends(lately(calls(0, 0), calls(100, 10))), 'watch', 'sendsFailed'],
  [
    'a template that fails among many',
    judge.judgeSends(lately('', `${calls(999, 0)}\n${ended({ template_fault: 1 })}`)),
    'watch',
    'sendsFailed',
  ],
  ['a wrong secret of Logto’s', judge.judgeSends(lately('', unread('unauthorized', 10))), 'bad', 'sendsUnread'],
  ['a wrong secret before the page', judge.judgeSends(lately(unread('unauthorized', 10))), 'bad', 'sendsUnread'],
  [
    'a wrong secret, and a test delivery',
    judge.judgeSends(
      lately('', `${unread('unauthorized', 10)}\nsms_requests_total{outcome="accepted",usage_type="test"} 1\nsms_accepted_total 1`),
    ),
    'bad',
    'sendsUnread',
  ],
  ['a wrong secret long ago', judge.judgeSends(longSince(unread('unauthorized', 10))), 'quiet', 'sendsNone'],
  [
    'a scanner beside Logto',
    judge.judgeSends(lately(calls(0, 0), `${unread('unauthorized', 10)}\n${ended({ accepted: 1 })}\nsms_accepted_total 1`)),
    'good',
    'sendsGood',
  ],
  ['limits that rest', judge.judgeLimits(lately('sms_limits_refused_total{limit="ip"} 2')), 'good', 'limitsQuiet'],
  ['failures before the page', judge.judgeSends(lately(calls(0, 10))), 'watch', 'sendsFailedBefore'],
  ['few failures before the page', judge.judgeSends(lately(calls(0, 4))), 'good', 'sendsGood'],
  ['failures long ago', judge.judgeSends(longSince(calls(0, 10))), 'good', 'sendsGood'],
  ['refusals before the page', judge.judgeLimits(lately(limited('refused', 50, 100))), 'watch', 'limitsRefusedBefore'],
  ['refusals of few before the page', judge.judgeLimits(lately(limited('refused', 50, 900))), 'good', 'limitsQuiet'],
  ['faults before the page', judge.judgeGatewayApi(lately(gatewayapi(0, 5, 5))), 'watch', 'gatewayapiFailedBefore'],
  ['all parts, at first', judge.judgeAll(['good', 'quiet'], lately('', '')), 'quiet', 'allWatching'],
  ['all parts, later', judge.judgeAll(['good', 'quiet'], longSince('')), 'good', 'allGood'],
  ['all parts, one to look at', judge.judgeAll(['good', 'watch'], lately('')), 'watch', 'allWatch'],
  ['all parts, one wrong', judge.judgeAll(['bad', 'watch'], lately('')), 'bad', 'allBad'],
  ['a few refusals', judge.judgeLimits(lately('', limited('refused', 9, 9))), 'good', 'limitsRefused'],
  ['a third refused', judge.judgeLimits(lately('', limited('refused', 31, 100))), 'watch', 'limitsRefused'],
  ['a quarter refused', judge.judgeLimits(lately('', limited('refused', 25, 100))), 'good', 'limitsRefused'],
  ['the budget refusing all', judge.judgeLimits(lately('', limited('refused', 99, 99, 'spend'))), 'good', 'limitsRefused'],
  ['a few monitored refusals', judge.judgeLimits(lately('', limited('monitored', 9, 9))), 'good', 'limitsMonitored'],
  ['many monitored refusals', judge.judgeLimits(lately('', limited('monitored', 10, 100))), 'watch', 'limitsMonitored'],
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
  ['one request in a hundred', judge.judgeGatewayApi(lately('', asked('transient', 1, 99))), 'good', 'adviceTransient'],
  ['blocked numbers', judge.judgeGatewayApi(lately('', asked('recipient', 9, 1))), 'good', 'adviceMessage'],
  ['a country that is not open', judge.judgeGatewayApi(lately('', asked('destination', 5, 900))), 'watch', 'adviceMessage'],
  ['wrong requests', judge.judgeGatewayApi(lately('', asked('request', 10, 20))), 'bad', 'adviceRequest'],
  ['a few wrong requests', judge.judgeGatewayApi(lately('', asked('request', 9, 9))), 'watch', 'adviceRequest'],
  [
    'outcomes that come late',
    judge.judgeGatewayApi(lately('', 'sms_late_outcomes_total{outcome="accepted"} 5')),
    'watch',
    'gatewayapiLate',
  ],
  [
    'an account fault',
    judge.judgeGatewayApi(lately('', `${asked('credit', 1, 8)}\n${ended({ accepted: 8, account_fault: 1 })}`)),
    'bad',
    'adviceCredit',
  ],
  [
    'an address of many that is refused',
    judge.judgeGatewayApi(lately('', `${asked('address', 1, 9)}\n${ended({ accepted: 9, account_fault: 1 })}`)),
    'watch',
    'adviceAddress',
  ],
  ['an open breaker', judge.judgeGatewayApi(lately(`${gatewayapi(1, 0, 0)}\n${calls(0, 1)}`)), 'bad', 'breakerOpen'],
  ['an open breaker that nobody feels', judge.judgeGatewayApi(longSince(gatewayapi(1, 0, 0))), 'watch', 'breakerOpen'],
  [
    'credit not asked for',
    judge.judgeCredit(lately('sms_gatewayapi_credit_timestamp_seconds 0'), 100_000),
    'quiet',
    'creditUnknown',
  ],
  ['credit', judge.judgeCredit(lately(credit(100)), 100_000), 'good', 'creditGood'],
  ['no credit', judge.judgeCredit(lately(credit(0)), 100_000), 'watch', 'creditBelow'],
  ['an account that is invoiced', judge.judgeCredit(lately(credit(-90), `${credit(-95)}\n${asked('credit', 0, 9)}`), 100_000), 'watch', 'creditBelow'],
  ['no credit, and calls that fail for it', judge.judgeCredit(lately(credit(0), `${credit(0)}\n${asked('credit', 1, 0)}`), 100_000), 'bad', 'creditGone'],
  ['no credit, and calls that failed for it before', judge.judgeCredit(lately(`${credit(0)}\n${asked('credit', 1, 0)}`), 100_000), 'bad', 'creditGone'],
  ['credit again', judge.judgeCredit(lately(credit(0), `${credit(10)}\n${asked('credit', 1, 0)}`), 100_000), 'good', 'creditGood'],
  [
    'credit in one currency of two',
    judge.judgeCredit(lately(`${credit(100)}\nsms_gatewayapi_credit{currency="DKK"} -3\nsms_cost_total{currency="DKK"} 9`), 100_000),
    'good',
    'creditGood',
  ],
  [
    'credit for two days',
    judge.judgeCredit(lately(credit(2, { spent: 1, started: 100_000 - 86_400 })), 100_000),
    'watch',
    'creditLow',
  ],
  [
    'credit for hours',
    judge.judgeCredit(lately(credit(0.2, { spent: 1, started: 100_000 - 86_400 })), 100_000),
    'bad',
    'creditLow',
  ],
  [
    'credit for seven hours',
    judge.judgeCredit(lately(credit(0.3, { spent: 1, started: 100_000 - 86_400 })), 100_000),
    'watch',
    'creditLow',
  ],
  ['credit known an hour ago', judge.judgeCredit(lately(credit(9, { asked: 96_000 })), 100_000), 'watch', 'creditOld'],
  ['credit known half an hour ago', judge.judgeCredit(lately(credit(9, { asked: 98_000 })), 100_000), 'good', 'creditGood'],
  [
    'credit of a service that does not know its start',
    judge.judgeCredit(lately(credit(0.01, { spent: 100_000 })), 100_000),
    'good',
    'creditGood',
  ],
  ['nothing waiting', judge.judgeLoad(lately(waiting(9), waiting(0))), 'good', 'loadGood'],
  ['a crowd', judge.judgeLoad(lately(waiting(0), waiting(99))), 'good', 'loadWaiting'],
  ['a small crowd that stays', judge.judgeLoad(longSince(waiting(50))), 'good', 'loadWaiting'],
  ['a crowd that stays', judge.judgeLoad(lately(...Array(4).fill(waiting(51)))), 'watch', 'loadLasting'],
  ['slow answers', judge.judgeLoad(lately(answered(0), answered(20))), 'watch', 'loadSlow'],
  ['few slow answers', judge.judgeLoad(lately(answered(0), answered(19))), 'good', 'loadGood'],
  ['a database', judge.judgeDatabase(lately('sms_ledger_up 1')), 'good', 'databaseGood'],
  ['no database', judge.judgeDatabase(lately('sms_ledger_up 0\nsms_ledger_waiting 3')), 'watch', 'databaseAway'],
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
    'a wrong signature among right ones',
    judge.judgeReports(
      lately('', 'sms_delivery_reports_refused_total{reason="signature"} 4\nsms_delivery_reports_total{result="applied"} 1'),
    ),
    'good',
    'reportsGood',
  ],
  [
    'many wrong signatures among right ones',
    judge.judgeReports(
      lately('', 'sms_delivery_reports_refused_total{reason="signature"} 5\nsms_delivery_reports_total{result="applied"} 1'),
    ),
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
  ['room for Logto', judge.judgeService(connected({ public: 1800, operator: 256 })), 'good', 'serviceGood'],
  ['no room for Logto', judge.judgeService(connected({ public: 1900, operator: 1 })), 'bad', 'serviceCrowded'],
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

test('what opened the breaker is told where it was open before the page was', () => {
  const words = (text) => judge.judgeGatewayApi(longSince(text)).words.map(({ word }) => word);
  const asked = (kind, count) => `sms_gatewayapi_requests_total{outcome="account_fault",error_kind="${kind}"} ${count}`;
  const open = 'sms_gatewayapi_breaker_state 1';
  // A number that can't be written to opens no breaker, however often it comes.
  assert.deepEqual(words([open, asked('recipient', 99), asked('credentials', 20), asked('unreachable', 3)].join('\n')), [
    'breakerOpen',
    'breakerBefore',
    'adviceCredentials',
    'adviceUnreachable',
  ]);
  assert.deepEqual(words(open), ['breakerOpen']);
});

test('each metric that the page names is one of the service', async () => {
  const scripts = readdirSync(new URL('page/', repository), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.js') && !path.startsWith('vendor'));
  const named = new Set(
    scripts
      .flatMap((path) => source(`page/${path}`).match(/(?<=['"])(sms|process)_[a-z_]+(?=['"])/g) ?? [])
      .map((name) => name.replace(/_count$/, '')),
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

test('each label that the page may show has words', async () => {
  const { body } = await sandbox.api('/metrics');
  const kinds = new Metrics(body).by('error_kind', 'sms_gatewayapi_requests_total');
  kinds.delete('');
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
    // Each kind that a request can meet is there from the start.
    kind: [...kinds.keys()],
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
  const worded = Object.keys(labels).filter((label) => label.startsWith('kind_'));
  assert.deepEqual(worded.sort(), asked.kind.map((kind) => `kind_${kind}`).sort(), 'no words that are never shown');
});
