// What the figures mean: each part of the service as { state, label, words }, where state is good, watch, bad or quiet
// (nothing to say), and words are keys of words/health.js with their values.

/** What counts as lately: the span over which faults are judged, in milliseconds. */
export const LATELY = 5 * 60_000;
/** A share of fewer messages says nothing. */
const ENOUGH = 10;
const DAY = 24 * 3600;

/** `label` is what the badge says, where that is not the state's own name. */
const say = (state, word, values = {}, label = state) => ({ state, label, words: [{ word, values }] });

/** Calls of POST /send that failed though nobody refused their message, as the alerts count them. */
const FAILED = ['account_fault', 'not_sent', 'unknown', 'template_fault', 'interrupted', 'ledger_away'];

export const read = {
  // Not by outcome of the calls: a repeat is answered as accepted, and not sent again.
  sent: (metrics) => metrics.sum('sms_accepted_total'),
  limited: (metrics) => metrics.sum('sms_requests_total', { outcome: 'limited' }),
  failed: (metrics) => FAILED.reduce((sum, outcome) => sum + metrics.sum('sms_requests_total', { outcome }), 0),
  /** Messages that GatewayAPI did not take for what they are, such as for their number. */
  rejected: (metrics) => metrics.sum('sms_requests_total', { outcome: 'rejected' }),
  outcomes: (metrics) => metrics.by('outcome', 'sms_requests_total'),
  refused: (metrics) => metrics.by('limit', 'sms_limits_refused_total'),
  monitored: (metrics) => metrics.by('limit', 'sms_limits_monitored_total'),
  accepted: (metrics) => metrics.by('country', 'sms_accepted_total'),
  delivered: (metrics) => metrics.by('country', 'sms_delivered_total'),
  undelivered: (metrics) => metrics.by('country', 'sms_undelivered_total'),
  gatewayapi: (metrics) => metrics.by('outcome', 'sms_gatewayapi_requests_total'),
  gatewayapiFaults: (metrics) => {
    const faults = metrics.by('error_kind', 'sms_gatewayapi_requests_total');
    faults.delete('');
    return faults;
  },
  reports: (metrics) => metrics.by('result', 'sms_delivery_reports_total'),
  reportsRefused: (metrics) => metrics.by('reason', 'sms_delivery_reports_refused_total'),
  waiting: (metrics) => metrics.value('sms_messages_waiting'),
  connections: (metrics) => metrics.value('sms_gatewayapi_connections_in_use'),
  ledgerAway: (metrics) => metrics.sum('sms_requests_total', { outcome: 'ledger_away' }),
  dropped: (metrics) => metrics.value('sms_ledger_dropped_total') ?? 0,
  spendRefused: (metrics) => metrics.sum('sms_limits_refused_total', { limit: 'spend' }),
  templatesRefused: (metrics) => metrics.sum('sms_template_reloads_total', { result: 'refused' }),
};

/** Of faults: too many to be single numbers' own. */
const isMuch = (count, of) => count >= 3 && count / of > 0.2;

/** Too short a time to call anything good: what went wrong before it counts as well. */
const isShort = (history) => history.span < LATELY;

/** The sentence above all parts, whose `states` these are; without a state where it is too early to tell. */
export function judgeAll(states, history) {
  for (const [state, word] of [
    ['bad', 'allBad'],
    ['watch', 'allWatch'],
  ])
    if (states.includes(state)) return say(state, word);
  return isShort(history)
    ? say('quiet', 'allWatching', { seconds: Math.round(history.span / 1000) })
    : say('good', 'allGood');
}

export function judgeSends(history) {
  const failed = history.grown(LATELY, read.failed);
  if (failed === 0) {
    const before = read.failed(history.latest);
    const all = before + read.sent(history.latest) + read.rejected(history.latest);
    if (all === 0) return say('quiet', 'sendsNone');
    return isShort(history) && isMuch(before, all)
      ? say('watch', 'sendsFailedBefore', { count: before, of: all })
      : say('good', 'sendsGood');
  }
  const all = failed + history.grown(LATELY, read.sent) + history.grown(LATELY, read.rejected);
  // One or two that failed among few are no trend.
  return say(isMuch(failed, all) ? 'bad' : 'watch', 'sendsFailed', { count: failed, of: all });
}

export function judgeLimits(history) {
  const refused = sum(history.grownBy(LATELY, read.refused));
  const monitored = sum(history.grownBy(LATELY, read.monitored));
  const words = [];
  if (refused > 0) words.push({ word: 'limitsRefused', values: { count: refused } });
  if (monitored > 0) words.push({ word: 'limitsMonitored', values: { count: monitored } });
  if (words.length > 0) return { ...say('watch'), words };
  const before = sum(read.refused(history.latest));
  const all = before + read.sent(history.latest);
  return isShort(history) && isMuch(before, all)
    ? say('watch', 'limitsRefusedBefore', { count: before, of: all })
    : say('good', 'limitsQuiet');
}

/** One country, or all together. */
export function deliveryShare({ accepted, delivered, undelivered }) {
  const finished = delivered + undelivered;
  return { accepted, delivered, undelivered, finished, share: finished > 0 ? delivered / finished : undefined };
}

export function deliveryByCountry(metrics) {
  const [accepted, delivered, undelivered] = [
    read.accepted(metrics),
    read.delivered(metrics),
    read.undelivered(metrics),
  ];
  const countries = [...new Set([...accepted.keys(), ...delivered.keys(), ...undelivered.keys()])];
  return countries
    .map((country) => ({
      country,
      ...deliveryShare({
        accepted: accepted.get(country) ?? 0,
        delivered: delivered.get(country) ?? 0,
        undelivered: undelivered.get(country) ?? 0,
      }),
    }))
    .sort((one, other) => other.accepted - one.accepted);
}

export function judgeDelivery(metrics) {
  const countries = deliveryByCountry(metrics);
  const all = deliveryShare({
    accepted: sum(read.accepted(metrics)),
    delivered: sum(read.delivered(metrics)),
    undelivered: sum(read.undelivered(metrics)),
  });
  if (all.accepted === 0) return say('quiet', 'deliveryNone');
  if (all.finished === 0)
    return all.accepted >= ENOUGH ? say('watch', 'deliveryNoReports') : say('quiet', 'deliveryWaiting');
  const low = countries.filter(({ share, finished }) => finished >= ENOUGH && share < 0.8);
  if (low.length > 0) {
    const state = low.some(({ share }) => share < 0.5) ? 'bad' : 'watch';
    return {
      ...say(state),
      words: [{ word: 'deliveryLow', values: {}, countries: low.map(({ country }) => country) }],
    };
  }
  return all.finished < ENOUGH
    ? say('quiet', 'deliveryFew', { count: all.finished }, 'few')
    : say('good', 'deliveryGood');
}

/** `seconds` within which 95 of 100 messages arrive. */
export function judgeTime(seconds) {
  if (seconds === undefined) return say('quiet', 'timeNone');
  if (seconds > 60) return say('bad', 'timeSlow');
  return seconds > 20 ? say('watch', 'timeSlow') : say('good', 'timeGood');
}

export function judgeReports(history) {
  const refused = history.grownBy(LATELY, read.reportsRefused);
  const all = sum(read.reports(history.latest)) + sum(read.reportsRefused(history.latest));
  const away = refused.get('ledger_away') ?? 0;
  const unsigned = sum(refused) - away;
  if (unsigned > 0) return say('watch', 'reportsUnsigned', { count: unsigned });
  if (away > 0) return say('watch', 'reportsAway', { count: away });
  return all === 0 ? say('quiet', 'reportsNone') : say('good', 'reportsGood');
}

/** What to do about each kind of fault; the others are the message's own. */
const ADVICE = {
  credentials: 'adviceCredentials',
  address: 'adviceAddress',
  credit: 'adviceCredit',
  feature: 'adviceFeature',
  frozen: 'adviceFrozen',
  class: 'adviceFeature',
  settings: 'adviceFeature',
  unreachable: 'adviceUnreachable',
  transient: 'adviceTransient',
  broken: 'adviceUnreachable',
  timed_out: 'adviceTransient',
  unreadable: 'adviceUnreadable',
  request: 'adviceRequest',
};
const ACCOUNT = ['credentials', 'address', 'credit', 'feature', 'frozen', 'class'];

export function judgeGatewayApi(history) {
  const metrics = history.latest;
  const isOpen = metrics.value('sms_gatewayapi_breaker_state') === 1;
  const faults = history.grownBy(LATELY, read.gatewayapiFaults);
  const kinds = kindsOf(faults);
  const words = advice(kinds);
  if (isOpen) return { ...say('bad'), words: [{ word: 'breakerOpen', values: {} }, ...words] };
  if (kinds.length > 0) return { ...say(kinds.some((kind) => ACCOUNT.includes(kind)) ? 'bad' : 'watch'), words };
  const all = sum(read.gatewayapi(metrics));
  if (all === 0) return say('quiet', 'gatewayapiNone');
  const before = read.gatewayapiFaults(metrics);
  const count = sum(before);
  if (!isShort(history) || !isMuch(count, all)) return say('good', 'gatewayapiGood');
  const verdict = say('watch', 'gatewayapiFailedBefore', { count, of: all });
  return { ...verdict, words: [...verdict.words, ...advice(kindsOf(before))] };
}

/** The kinds of fault that there were, the most frequent first. */
function kindsOf(faults) {
  return [...faults]
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([kind]) => kind);
}

function advice(kinds) {
  return [...new Set(kinds.map((kind) => ADVICE[kind] ?? 'adviceMessage'))].map((word) => ({ word, values: {} }));
}

/** `now` in seconds since 1970. */
export function judgeCredit(metrics, now) {
  const asked = metrics.value('sms_gatewayapi_credit_timestamp_seconds') ?? 0;
  const credits = metrics.series('sms_gatewayapi_credit');
  if (asked === 0 || credits.length === 0) return say('quiet', 'creditUnknown');
  if (credits.every(({ value }) => value <= 0)) return say('bad', 'creditGone');
  const days = daysLeft(metrics, now);
  if (days !== undefined && days < 3) return say(days < 1 ? 'bad' : 'watch', 'creditLow', { days });
  return now - asked > 20 * 60 ? say('watch', 'creditOld') : say('good', 'creditGood');
}

/** How long the credit lasts at the pace since the start; undefined where that was too short to tell, or nothing was spent. */
function daysLeft(metrics, now) {
  // 0 is what a service says that does not know.
  const up = now - (metrics.value('process_start_time_seconds') || now);
  if (up < 3600) return undefined;
  const left = metrics.series('sms_gatewayapi_credit').map(({ labels: { currency }, value }) => {
    const spent = metrics.sum('sms_cost_total', { currency });
    return spent > 0 ? (value / spent) * (up / DAY) : Infinity;
  });
  const least = Math.min(...left);
  return Number.isFinite(least) ? least : undefined;
}

export function judgeLoad(history) {
  const waiting = read.waiting(history.latest) ?? 0;
  const before = history.values(read.waiting).slice(-4);
  const isLasting = before.length > 3 && before.every(([, value]) => value > 0);
  if (waiting === 0) return say('good', 'loadGood');
  return say(isLasting ? 'bad' : 'watch', isLasting ? 'loadLasting' : 'loadWaiting', { count: waiting });
}

export function judgeDatabase(history) {
  const metrics = history.latest;
  const dropped = history.grown(Infinity, read.dropped);
  if (metrics.value('sms_ledger_up') === 0)
    return history.grown(LATELY, read.ledgerAway) > 0 || (isShort(history) && read.ledgerAway(metrics) > 0)
      ? say('bad', 'databaseNoCodes')
      : say('bad', 'databaseAway', { count: metrics.value('sms_ledger_waiting') ?? 0 });
  return dropped > 0 ? say('watch', 'databaseLost', { count: dropped }) : say('good', 'databaseGood');
}

export function judgeSpend(history) {
  const shares = history.latest.series('sms_limits_spend_ratio');
  if (shares.length === 0) return say('quiet', 'spendNone', {}, 'unset');
  const most = Math.max(...shares.map(({ value }) => value));
  // A message is refused where its own cost would not fit any more, before all is spent.
  const isRefusing =
    history.grown(LATELY, read.spendRefused) > 0 || (most >= 0.8 && read.spendRefused(history.latest) > 0);
  if (most >= 1 || isRefusing) return say('bad', 'spendGone');
  return most >= 0.8 ? say('watch', 'spendHigh') : say('good', 'spendGood');
}

export function judgeTemplates(history) {
  const refused = history.grown(Infinity, read.templatesRefused);
  const loaded = history.latest.sum('sms_template_reloads_total', { result: 'loaded' });
  if (refused > 0) return say('watch', 'templatesRefused', { count: refused });
  return loaded > 0 ? say('good', 'templatesLoaded', { count: loaded }) : say('good', 'templatesAsStarted');
}

export function judgeService(metrics) {
  const [open, most] = [metrics.value('process_open_fds'), metrics.value('process_max_fds')];
  return open > 0.8 * most ? say('watch', 'serviceFull') : say('good', 'serviceGood');
}

export function sum(counts) {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
