// What the answer of GET /api/deliveries means: what became of the messages of the last hour, on all instances, by those
// whose reports should be there. `found` is undefined before the first answer, and null while there is none to be had.

import { say } from './judge.js';
import { DELIVERED, DELIVERY_SECONDS, ENOUGH, REPORTS_STOPPED } from './thresholds.js';

/** Messages of which it is known whether they arrived, or should be by now. */
export function due({ delivered, undelivered, unconfirmed, overdue }) {
  return delivered + undelivered + unconfirmed + overdue;
}

/** Only what was reported as delivered has arrived, as the alerts count. Undefined: there is none to judge by. */
export function share(tally) {
  return due(tally) > 0 ? tally.delivered / due(tally) : undefined;
}

const isLow = (tally) => due(tally) >= ENOUGH && share(tally) < DELIVERED.watch;
/** Where a network never confirms, that is usual, and wakes nobody. */
const isCollapsed = (tally) =>
  due(tally) >= ENOUGH && tally.delivered + tally.unconfirmed < DELIVERED.bad * due(tally);

export function judgeDelivery(found) {
  if (!found) return unknown(found, 'deliveryAway');
  const { total, countries } = found.due;
  if (due(total) === 0) {
    const isAny = [found.due, found.young].some((period) => period.total.outcomes.accepted > 0);
    return isAny ? say('quiet', 'deliveryWaiting', { minutes: minutes(found) }) : say('quiet', 'deliveryNone');
  }
  if (total.silent >= ENOUGH && haveStopped(found)) {
    const values = { count: total.silent, minutes: minutes(found), quiet: REPORTS_STOPPED / 60_000 };
    return say('watch', 'deliveryNoReports', values);
  }
  const low = countries.filter(isLow);
  const state = [total, ...low].some(isCollapsed) ? 'bad' : 'watch';
  if (low.length > 0) {
    const names = low.map(({ country, ...tally }) => ({ country, count: tally.delivered, of: due(tally) }));
    return withOthers({ ...say(state), words: [{ word: 'deliveryLow', values: {}, countries: names }] }, found);
  }
  // Few messages to each of many countries.
  if (isLow(total)) return withOthers(say(state, 'deliveryLowAll', { count: total.delivered, of: due(total) }), found);
  const verdict =
    due(total) < ENOUGH ? say('quiet', 'deliveryFew', { count: due(total) }, 'few') : say('good', 'deliveryGood');
  return withOthers(verdict, found);
}

function haveStopped({ until, last_report_at: last }) {
  return last === null || Date.parse(until) - Date.parse(last) > REPORTS_STOPPED;
}

/** With those that may have arrived. */
function withOthers(verdict, found) {
  const { overdue, unconfirmed } = found.due.total;
  const others = [
    { word: 'deliveryOverdue', values: { count: overdue, minutes: minutes(found) } },
    { word: 'deliveryUnconfirmed', values: { count: unconfirmed } },
  ];
  return { ...verdict, words: [...verdict.words, ...others.filter(({ values }) => values.count > 0)] };
}

export function judgeTime(found) {
  if (!found) return unknown(found, 'deliveryAway');
  const { total, countries } = found.due;
  if (total.delivered === 0) return say('quiet', 'timeNone');
  if (total.time_to_delivery === null) return say('quiet', 'timeUnknown');
  const isEnough = ({ time_to_delivery: time }) => time?.messages >= ENOUGH;
  const isSlow = (tally) => isEnough(tally) && tally.time_to_delivery.p90 > DELIVERY_SECONDS;
  const slow = countries.filter(isSlow);
  if (slow.length > 0) {
    const names = slow.map(({ country, time_to_delivery: { p90 } }) => ({ country, seconds: p90 }));
    return { ...say('watch'), words: [{ word: 'timeSlow', values: {}, countries: names }] };
  }
  if (isSlow(total)) return say('watch', 'timeSlowAll', { count: total.time_to_delivery.p90 });
  return isEnough(total)
    ? say('good', 'timeGood')
    : say('quiet', 'timeFew', { count: total.time_to_delivery.messages }, 'few');
}

function unknown(found, word) {
  return found === undefined ? say('quiet', 'gathering') : say('watch', word);
}

/** After which a message should have its report. */
export function minutes(found) {
  return found.overdue_after_seconds / 60;
}
