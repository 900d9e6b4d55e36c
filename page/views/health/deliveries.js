// What the answer of GET /api/deliveries means: what became of the messages of the last hour, on all instances. `found` is
// undefined before the first answer, and null while there is none to be had.

import { say } from './judge.js';
import { DELIVERED, DELIVERY_SECONDS, ENOUGH } from './thresholds.js';

/** Messages of which it is known whether they arrived, or should be by now. */
export function due({ delivered, undelivered, overdue }) {
  return delivered + undelivered + overdue;
}

/** Those that never were reported count as not delivered. Undefined: there is none to judge by. */
export function share(tally) {
  return due(tally) > 0 ? tally.delivered / due(tally) : undefined;
}

const isLow = (tally, threshold) => due(tally) >= ENOUGH && share(tally) < threshold;

export function judgeDelivery(found) {
  if (!found) return unknown(found, 'deliveryAway');
  const { total, countries } = found;
  if (total.outcomes.accepted === 0) return say('quiet', 'deliveryNone');
  if (due(total) === 0) return say('quiet', 'deliveryWaiting');
  if (total.delivered + total.undelivered + total.unconfirmed === 0 && total.overdue >= ENOUGH)
    return say('watch', 'deliveryNoReports', { count: total.overdue, minutes: minutes(found) });
  const low = countries.filter((tally) => isLow(tally, DELIVERED.watch));
  const isBad = [total, ...low].some((tally) => isLow(tally, DELIVERED.bad));
  const state = isBad ? 'bad' : 'watch';
  if (low.length > 0) {
    const names = low.map(({ country, ...tally }) => ({ country, count: tally.delivered, of: due(tally) }));
    return withOverdue({ ...say(state), words: [{ word: 'deliveryLow', values: {}, countries: names }] }, found);
  }
  // Few messages to each of many countries.
  if (isLow(total, DELIVERED.watch))
    return withOverdue(say(state, 'deliveryLowAll', { count: total.delivered, of: due(total) }), found);
  const verdict =
    due(total) < ENOUGH ? say('quiet', 'deliveryFew', { count: due(total) }, 'few') : say('good', 'deliveryGood');
  return withOverdue(verdict, found);
}

function withOverdue(verdict, found) {
  const count = found.total.overdue;
  if (count === 0) return verdict;
  const values = { count, minutes: minutes(found) };
  return { ...verdict, words: [...verdict.words, { word: 'deliveryOverdue', values }] };
}

export function judgeTime(found) {
  if (!found) return unknown(found, 'deliveryAway');
  const { total, countries } = found;
  if (total.delivered === 0) return say('quiet', 'timeNone');
  const isSlow = (tally) => tally.delivered >= ENOUGH && tally.time_to_delivery.p90 > DELIVERY_SECONDS;
  const slow = countries.filter(isSlow);
  if (slow.length > 0) {
    const names = slow.map(({ country, time_to_delivery: { p90 } }) => ({ country, seconds: p90 }));
    return { ...say('watch'), words: [{ word: 'timeSlow', values: {}, countries: names }] };
  }
  if (isSlow(total)) return say('watch', 'timeSlowAll', { count: total.time_to_delivery.p90 });
  return total.delivered < ENOUGH
    ? say('quiet', 'timeFew', { count: total.delivered }, 'few')
    : say('good', 'timeGood');
}

function unknown(found, word) {
  return found === undefined ? say('quiet', 'gathering') : say('watch', word);
}

function minutes(found) {
  return found.overdue_after_seconds / 60;
}
