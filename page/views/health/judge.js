// What the figures mean: each part of the service as { state, label, words }, where state is good, watch, bad or quiet
// (nothing to say), and words are keys of words/health.js with their values.

import {
  ACCOUNT_FAULTS,
  ANSWERS,
  CONNECTIONS,
  CREDIT_LEFT,
  CREDIT_OLD,
  DESTINATION_REFUSED,
  ENOUGH,
  FAILED,
  LATELY,
  LATE_OUTCOMES,
  LIMIT_MONITORED,
  LIMIT_REFUSED,
  REFUSED_UNREAD,
  REJECTED,
  REPORTS_REFUSED,
  SPENT,
  WAITING,
} from './thresholds.js';

/** `label` is what the badge says, where that is not the state's own name. */
export const say = (state, word, values = {}, label = state) => ({ state, label, words: [{ word, values }] });

/** Calls of POST /send that failed though nobody refused their message, as the alerts count them. */
export const FAULTS = ['account_fault', 'not_sent', 'unknown', 'template_fault', 'interrupted', 'ledger_away'];
/** Calls that were refused before anybody knew what they wanted. */
export const UNREAD = ['unauthorized', 'malformed', 'not_json', 'too_long', 'too_slow'];

const CALLS = 'sms_requests_total';

export const read = {
  // Not by outcome of the calls: a repeat is answered as accepted, and not sent again.
  sent: (metrics) => metrics.sum('sms_accepted_total'),
  /** Calls that were read, and test deliveries; a scanner's are refused unread. */
  taken: (metrics) => metrics.sum(CALLS) - metrics.sum(CALLS, { usage_type: 'unknown' }),
  /** Of these, Logto's. */
  called: (metrics) => read.taken(metrics) - metrics.sum(CALLS, { usage_type: 'test' }),
  limited: (metrics) => metrics.sum(CALLS, { outcome: 'limited' }),
  failed: (metrics) => FAULTS.reduce((sum, outcome) => sum + metrics.sum(CALLS, { outcome }), 0),
  unread: (metrics) => new Map(UNREAD.map((outcome) => [outcome, metrics.sum(CALLS, { outcome })])),
  outcome: (outcome) => (metrics) => metrics.sum(CALLS, { outcome }),
  /** Messages that GatewayAPI did not take for what they are, such as for their number. */
  rejected: (metrics) => metrics.sum(CALLS, { outcome: 'rejected' }),
  outcomes: (metrics) => metrics.by('outcome', CALLS),
  refused: (metrics) => metrics.by('limit', 'sms_limits_refused_total'),
  monitored: (metrics) => metrics.by('limit', 'sms_limits_monitored_total'),
  gatewayapi: (metrics) => metrics.by('outcome', 'sms_gatewayapi_requests_total'),
  gatewayapiFaults: (metrics) => {
    const faults = metrics.by('error_kind', 'sms_gatewayapi_requests_total');
    faults.delete('');
    return faults;
  },
  late: (metrics) => metrics.sum('sms_late_outcomes_total'),
  answered: (metrics) => metrics.sum('sms_stage_duration_seconds_count', { stage: 'total' }),
  reports: (metrics) => metrics.by('result', 'sms_delivery_reports_total'),
  reportsRefused: (metrics) => metrics.by('reason', 'sms_delivery_reports_refused_total'),
  waiting: (metrics) => metrics.value('sms_messages_waiting'),
  connections: (metrics) => metrics.value('sms_gatewayapi_connections_in_use'),
  /** Connections at the public listener, and how many it has room for. */
  clients: (metrics) => metrics.sum('sms_server_connections', { listener: 'public' }),
  clientsMost: (metrics) => metrics.sum('sms_server_connections_max', { listener: 'public' }),
  ledgerAway: (metrics) => metrics.sum(CALLS, { outcome: 'ledger_away' }),
  dropped: (metrics) => metrics.value('sms_ledger_dropped_total') ?? 0,
  spendRefused: (metrics) => metrics.sum('sms_limits_refused_total', { limit: 'spend' }),
  templatesRefused: (metrics) => metrics.sum('sms_template_reloads_total', { result: 'refused' }),
};

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
  const unread = refusedUnread(history);
  if (unread > 0) return say('bad', 'sendsUnread', { count: unread });
  const failed = history.grown(LATELY, read.failed);
  if (failed === 0) {
    const before = read.failed(history.latest);
    const all = before + read.sent(history.latest) + read.rejected(history.latest);
    if (all === 0) return say('quiet', 'sendsNone');
    return isShort(history) && before >= FAILED.watch.count && before / all > FAILED.watch.share
      ? say('watch', 'sendsFailedBefore', { count: before, of: all })
      : say('good', 'sendsGood');
  }
  const all = failed + history.grown(LATELY, read.sent) + history.grown(LATELY, read.rejected);
  return say(failing(history, failed, all), 'sendsFailed', { count: failed, of: all });
}

/** Calls that were refused unread while none of Logto's was taken; 0 where they are few, and may be a scanner's. */
function refusedUnread(history) {
  const lately = [most(history.grownBy(LATELY, read.unread)), history.grown(LATELY, read.called)];
  const before = [most(read.unread(history.latest)), read.called(history.latest)];
  const seen = isShort(history) ? [lately, before] : [lately];
  return seen.find(([count, called]) => count >= REFUSED_UNREAD && called === 0)?.[0] ?? 0;
}

function failing(history, failed, all) {
  if (failed >= FAILED.bad.count && failed / all > FAILED.bad.share) return 'bad';
  // A text that can't be made fails each time.
  const isTemplate = history.grown(LATELY, read.outcome('template_fault')) > 0;
  return isTemplate || failed / all > FAILED.watch.share ? 'watch' : 'good';
}

export function judgeLimits(history) {
  const [refused, monitored] = [read.refused, read.monitored].map((one) => history.grownBy(LATELY, one));
  const calls = history.grown(LATELY, read.taken);
  const words = [];
  if (sum(refused) > 0) words.push({ word: 'limitsRefused', values: { count: sum(refused) } });
  if (sum(monitored) > 0) words.push({ word: 'limitsMonitored', values: { count: sum(monitored) } });
  if (words.length > 0) {
    // The spent budget is judged by itself.
    refused.delete('spend');
    const isMuch = (counts, share) => most(counts) >= ENOUGH && most(counts) > share * calls;
    const isWatch = isMuch(refused, LIMIT_REFUSED.share) || isMuch(monitored, LIMIT_MONITORED);
    return { ...say(isWatch ? 'watch' : 'good'), words };
  }
  const before = read.refused(history.latest);
  before.delete('spend');
  const [count, of] = [most(before), read.taken(history.latest)];
  return isShort(history) && count >= LIMIT_REFUSED.count && count > LIMIT_REFUSED.share * of
    ? say('watch', 'limitsRefusedBefore', { count, of })
    : say('good', 'limitsQuiet');
}

export function judgeReports(history) {
  const refused = history.grownBy(LATELY, read.reportsRefused);
  const taken = sum(read.reports(history.latest));
  const away = refused.get('ledger_away') ?? 0;
  const unsigned = sum(refused) - away;
  // Anybody may send a few; but where none is right, the first tells of a wrong secret.
  if (unsigned >= REPORTS_REFUSED || (unsigned > 0 && taken === 0))
    return say('watch', 'reportsUnsigned', { count: unsigned });
  if (away > 0) return say('watch', 'reportsAway', { count: away });
  return taken === 0 ? say('quiet', 'reportsNone') : say('good', 'reportsGood');
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
export const ACCOUNT = ['credentials', 'address', 'credit', 'feature', 'frozen', 'class'];
/** How requests are made. */
export const OURS = ['request', 'settings', 'content'];
/** Of single messages, which concern nobody else. */
export const ITS_OWN = ['recipient', 'recipient_for_now', 'destination'];

export function judgeGatewayApi(history) {
  const metrics = history.latest;
  const faults = history.grownBy(LATELY, read.gatewayapiFaults);
  const kinds = kindsOf(faults);
  const words = advice(kinds);
  if (metrics.value('sms_gatewayapi_breaker_state') === 1) {
    const causes = words.length > 0 ? words : adviceSinceStart(metrics);
    return { ...say(isFelt(history) ? 'bad' : 'watch'), words: [{ word: 'breakerOpen', values: {} }, ...causes] };
  }
  const late = history.grown(LATELY, read.late);
  const isLate = late >= LATE_OUTCOMES;
  if (isLate) words.push({ word: 'gatewayapiLate', values: { count: late } });
  if (words.length > 0) {
    const state = faulty(history, faults);
    return { ...say(state === 'good' && isLate ? 'watch' : state), words };
  }
  const all = sum(read.gatewayapi(metrics));
  if (all === 0) return say('quiet', 'gatewayapiNone');
  const before = read.gatewayapiFaults(metrics);
  const count = sum(before);
  const { watch } = FAILED;
  if (!isShort(history) || count < watch.count || count / all <= watch.share) return say('good', 'gatewayapiGood');
  const verdict = say('watch', 'gatewayapiFailedBefore', { count, of: all });
  return { ...verdict, words: [...verdict.words, ...advice(kindsOf(before))] };
}

/** What may have opened the breaker before the page was opened. */
function adviceSinceStart(metrics) {
  const kinds = kindsOf(read.gatewayapiFaults(metrics)).filter((kind) => ACCOUNT.includes(kind) || kind === 'unreachable');
  return kinds.length > 0 ? [{ word: 'breakerBefore', values: {} }, ...advice(kinds)] : [];
}

/** The breaker stays open until a call comes to try: it matters where calls came lately. */
function isFelt(history) {
  const felt = ['not_sent', 'account_fault'].map(read.outcome);
  return felt.some((one) => history.grown(LATELY, one) > 0 || (isShort(history) && one(history.latest) > 0));
}

/** How bad requests are that GatewayAPI did not take lately. */
function faulty(history, faults) {
  const count = (kinds) => kinds.reduce((total, kind) => total + (faults.get(kind) ?? 0), 0);
  const all = sum(history.grownBy(LATELY, read.gatewayapi));
  const [refused, accepted] = ['account_fault', 'accepted'].map((one) => history.grown(LATELY, read.outcome(one)));
  if (count(ACCOUNT) > 0) return refused > ACCOUNT_FAULTS * (refused + accepted) ? 'bad' : 'watch';
  if (OURS.some((kind) => count([kind]) >= REJECTED.count && count([kind]) > REJECTED.share * all)) return 'bad';
  const isMuch = sum(faults) - count(ITS_OWN) > FAILED.watch.share * all;
  return isMuch || count(['destination']) >= DESTINATION_REFUSED ? 'watch' : 'good';
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
export function judgeCredit(history, now) {
  const metrics = history.latest;
  const asked = metrics.value('sms_gatewayapi_credit_timestamp_seconds') ?? 0;
  const credits = metrics.series('sms_gatewayapi_credit');
  if (asked === 0 || credits.length === 0) return say('quiet', 'creditUnknown');
  // An account that is invoiced has a balance below 0, and goes on.
  if (credits.every(({ value }) => value <= 0))
    return failedForCredit(history) ? say('bad', 'creditGone') : say('watch', 'creditBelow');
  const hours = hoursLeft(metrics, now);
  if (hours < CREDIT_LEFT.watch) return say(hours < CREDIT_LEFT.bad ? 'bad' : 'watch', 'creditLow', { hours });
  return now - asked > CREDIT_OLD ? say('watch', 'creditOld') : say('good', 'creditGood');
}

function failedForCredit(history) {
  const failed = (faults) => (faults.get('credit') ?? 0) > 0;
  const isLately = failed(history.grownBy(LATELY, read.gatewayapiFaults));
  return isLately || (isShort(history) && failed(read.gatewayapiFaults(history.latest)));
}

/** How long the credit lasts at the pace since the start; infinite where that was too short to tell, or nothing was spent. */
function hoursLeft(metrics, now) {
  // 0 is what a service says that does not know.
  const up = now - (metrics.value('process_start_time_seconds') || now);
  if (up < 3600) return Infinity;
  const credits = metrics.series('sms_gatewayapi_credit').filter(({ value }) => value > 0);
  const left = credits.map(({ labels: { currency }, value }) => {
    const spent = metrics.sum('sms_cost_total', { currency });
    return spent > 0 ? (value / spent) * (up / 3600) : Infinity;
  });
  return Math.min(...left);
}

export function judgeLoad(history) {
  const slowest = history.quantile(LATELY, ANSWERS.share, 'sms_stage_duration_seconds', { stage: 'total' });
  if (slowest > ANSWERS.seconds && history.grown(LATELY, read.answered) >= ANSWERS.count)
    return say('watch', 'loadSlow', { count: slowest });
  const waiting = read.waiting(history.latest) ?? 0;
  if (waiting === 0) return say('good', 'loadGood');
  const looks = history.values(read.waiting);
  const [last] = looks.at(-1);
  const lately = looks.filter(([time]) => time >= last - WAITING.span);
  const isLasting = lately.length > 3 && lately.every(([, value]) => value > WAITING.count);
  return say(isLasting ? 'watch' : 'good', isLasting ? 'loadLasting' : 'loadWaiting', { count: waiting });
}

export function judgeDatabase(history) {
  const metrics = history.latest;
  const dropped = history.grown(Infinity, read.dropped);
  if (metrics.value('sms_ledger_up') === 0)
    return history.grown(LATELY, read.ledgerAway) > 0 || (isShort(history) && read.ledgerAway(metrics) > 0)
      ? say('bad', 'databaseNoCodes')
      : say('watch', 'databaseAway', { count: metrics.value('sms_ledger_waiting') ?? 0 });
  return dropped > 0 ? say('watch', 'databaseLost', { count: dropped }) : say('good', 'databaseGood');
}

export function judgeSpend(history) {
  const shares = history.latest.series('sms_limits_spend_ratio');
  if (shares.length === 0) return say('quiet', 'spendNone', {}, 'unset');
  const highest = Math.max(...shares.map(({ value }) => value));
  // A message is refused where its own cost would not fit any more, before all is spent.
  const isRefusing =
    history.grown(LATELY, read.spendRefused) > 0 || (highest >= SPENT.watch && read.spendRefused(history.latest) > 0);
  if (highest >= SPENT.bad || isRefusing) return say('bad', 'spendGone');
  return highest >= SPENT.watch ? say('watch', 'spendHigh') : say('good', 'spendGood');
}

export function judgeTemplates(history) {
  const refused = history.grown(Infinity, read.templatesRefused);
  const loaded = history.latest.sum('sms_template_reloads_total', { result: 'loaded' });
  if (refused > 0) return say('watch', 'templatesRefused', { count: refused });
  return loaded > 0 ? say('good', 'templatesLoaded', { count: loaded }) : say('good', 'templatesAsStarted');
}

export function judgeService(metrics) {
  if (read.clients(metrics) > CONNECTIONS * read.clientsMost(metrics)) return say('bad', 'serviceCrowded');
  const [open, most] = [metrics.value('process_open_fds'), metrics.value('process_max_fds')];
  return open > 0.8 * most ? say('watch', 'serviceFull') : say('good', 'serviceGood');
}

export function sum(counts) {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function most(counts) {
  return Math.max(0, ...counts.values());
}
