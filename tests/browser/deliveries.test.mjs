// What the view "Health" makes of GET /api/deliveries.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { due, judgeDelivery, judgeTime, share } from '../../page/views/health/deliveries.js';
import { CATALOGUES } from '../../page/words.js';

/** Messages to a country, all of them accepted. */
function tally(
  { delivered = 0, undelivered = 0, unconfirmed = 0, waiting = 0, overdue = 0, silent = 0, p90 = 4, measured = delivered },
  country = 'DK',
) {
  const accepted = delivered + undelivered + unconfirmed + waiting + overdue;
  const time_to_delivery = measured > 0 ? { messages: measured, median: 2, p90 } : null;
  return { country, outcomes: { accepted }, delivered, undelivered, unconfirmed, waiting, overdue, silent, time_to_delivery };
}

/** An answer with these countries, the newest report of which came a minute ago. */
function answer(...countries) {
  const sum = (name) => countries.reduce((total, tally) => total + tally[name], 0);
  const names = ['delivered', 'undelivered', 'unconfirmed', 'waiting', 'overdue', 'silent'];
  const measured = countries.reduce((all, { time_to_delivery: time }) => all + (time?.messages ?? 0), 0);
  const total = tally({ ...Object.fromEntries(names.map((name) => [name, sum(name)])), measured }, null);
  const p90 = Math.max(0, ...countries.map(({ time_to_delivery: time }) => time?.p90 ?? 0));
  if (total.time_to_delivery) total.time_to_delivery.p90 = p90;
  const young = { total: tally({}, null), countries: [] };
  return { until: at(0), overdue_after_seconds: 300, last_report_at: at(1), due: { complete: true, total, countries }, young };
}

/** A moment so many minutes ago. */
function at(minutes) {
  return new Date(Date.UTC(2026, 10, 25, 12) - minutes * 60_000).toISOString();
}

/** The same with the newest report so many minutes ago. */
const reported = (found, minutes) => ({ ...found, last_report_at: minutes === null ? null : at(minutes) });
/** The same with messages that are too young to be judged. */
const withYoung = (found, young) => ({ ...found, young: { total: tally(young, null), countries: [tally(young)] } });

const good = tally({ delivered: 48, undelivered: 2 });
const small = (country) => tally({ undelivered: 3, delivered: 1 }, country);

for (const [name, verdict, state, word] of [
  ['an answer that has not come', judgeDelivery(undefined), 'quiet', 'gathering'],
  ['a ledger that is away', judgeDelivery(null), 'watch', 'deliveryAway'],
  ['no messages', judgeDelivery(answer()), 'quiet', 'deliveryNone'],
  ['young messages', judgeDelivery(withYoung(answer(), { waiting: 40 })), 'quiet', 'deliveryWaiting'],
  ['young messages that all arrived', judgeDelivery(withYoung(answer(), { delivered: 40 })), 'quiet', 'deliveryWaiting'],
  ['messages accepted late', judgeDelivery(answer(tally({ waiting: 40 }))), 'quiet', 'deliveryWaiting'],
  ['young messages that fail', judgeDelivery(withYoung(answer(good), { undelivered: 40 })), 'good', 'deliveryGood'],
  ['messages of which the network tells no more', judgeDelivery(answer(tally({ unconfirmed: 40 }))), 'watch', 'deliveryLow'],
  ['as many that failed', judgeDelivery(answer(tally({ unconfirmed: 19, undelivered: 21 }))), 'bad', 'deliveryLow'],
  ['few messages', judgeDelivery(answer(tally({ undelivered: 9 }))), 'quiet', 'deliveryFew'],
  ['few overdue messages', judgeDelivery(answer(tally({ overdue: 9 }))), 'quiet', 'deliveryFew'],
  ['good delivery', judgeDelivery(answer(good)), 'good', 'deliveryGood'],
  ['good delivery among many that are young', judgeDelivery(answer(tally({ delivered: 10, waiting: 90 }))), 'good', 'deliveryGood'],
  ['never a report', judgeDelivery(reported(answer(tally({ overdue: 10, silent: 10 })), null)), 'watch', 'deliveryNoReports'],
  ['transient reports alone', judgeDelivery(answer(tally({ overdue: 14 }))), 'bad', 'deliveryLow'],
  ['transient reports alone, a while ago', judgeDelivery(reported(answer(tally({ overdue: 14 })), 40)), 'bad', 'deliveryLow'],
  ['reports that stopped', judgeDelivery(reported(answer(tally({ delivered: 20, overdue: 40, silent: 40 })), 16)), 'watch', 'deliveryNoReports'],
  ['reports that come', judgeDelivery(reported(answer(tally({ delivered: 20, overdue: 40, silent: 40 })), 15)), 'bad', 'deliveryLow'],
  ['one report that ever came', judgeDelivery(reported(answer(tally({ unconfirmed: 1, overdue: 59, silent: 59 })), 50)), 'watch', 'deliveryNoReports'],
  ['a quiet night after good delivery', judgeDelivery(reported(answer(tally({ delivered: 20, overdue: 2, silent: 2 })), 50)), 'good', 'deliveryGood'],
  ['no delivery in one country', judgeDelivery(answer(good, tally({ undelivered: 10 }, 'DE'))), 'bad', 'deliveryLow'],
  ['one country of which no report comes', judgeDelivery(answer(good, tally({ overdue: 10 }, 'DE'))), 'bad', 'deliveryLow'],
  ['a country where half arrives', judgeDelivery(answer(tally({ delivered: 10, undelivered: 5, overdue: 5 }))), 'watch', 'deliveryLow'],
  ['a country where four fifths arrive', judgeDelivery(answer(tally({ delivered: 8, overdue: 2 }))), 'good', 'deliveryGood'],
  ['many countries with few messages', judgeDelivery(answer(small('DE'), small('SE'), small('FR'))), 'bad', 'deliveryLowAll'],
  ['times that are not known yet', judgeTime(undefined), 'quiet', 'gathering'],
  ['times while the ledger is away', judgeTime(null), 'watch', 'deliveryAway'],
  ['no times', judgeTime(answer(tally({ waiting: 9 }))), 'quiet', 'timeNone'],
  ['few times', judgeTime(answer(tally({ delivered: 9, p90: 99 }))), 'quiet', 'timeFew'],
  ['times that can’t be', judgeTime(answer(tally({ delivered: 40, measured: 0 }))), 'quiet', 'timeUnknown'],
  ['few times that can be', judgeTime(answer(tally({ delivered: 40, measured: 9 }))), 'quiet', 'timeFew'],
  ['times below half a minute', judgeTime(answer(tally({ delivered: 10, p90: 30 }))), 'good', 'timeGood'],
  ['a slow country', judgeTime(answer(good, tally({ delivered: 10, p90: 31 }, 'SE'))), 'watch', 'timeSlow'],
  ['many slow countries', judgeTime(answer(...['SE', 'DE', 'FR'].map((code) => tally({ delivered: 9, p90: 31 }, code)))), 'watch', 'timeSlowAll'],
]) {
  test(`the verdict on ${name}`, () => {
    assert.deepEqual([verdict.state, verdict.words[0].word], [state, word]);
    assert.ok(verdict.words.every((one) => Object.values(CATALOGUES.health).every((words) => one.word in words)));
    assert.ok(`state_${verdict.label}` in CATALOGUES.health.en, verdict.label);
  });
}

test('a message of which no report comes counts as not delivered, and is told', () => {
  const found = answer(tally({ delivered: 6, overdue: 6 }), tally({ delivered: 6, waiting: 60, unconfirmed: 60 }, 'SE'));
  assert.deepEqual(found.due.countries.map(due), [12, 66]);
  assert.deepEqual(found.due.countries.map(share), [0.5, 6 / 66]);
  assert.equal(share(tally({ waiting: 3 })), undefined);
  const [low, ...others] = judgeDelivery(found).words;
  assert.deepEqual(low.countries, [
    { country: 'DK', count: 6, of: 12 },
    { country: 'SE', count: 6, of: 66 },
  ]);
  assert.deepEqual(others, [
    { word: 'deliveryOverdue', values: { count: 6, minutes: 5 } },
    { word: 'deliveryUnconfirmed', values: { count: 60 } },
  ]);
});
