// What becomes of a test delivery, as it happens.

import { el, replace } from '../../dom.js';
import { follow } from '../../follow.js';
import { explainFault, explainMessage, explainProblem, hasFailed, isDelivered, isFinal, statusName } from '../../outcomes.js';
import { pause } from '../../pause.js';
import { durations, exactly, momentsOf, second } from '../../times.js';
import { stepList, totalWords } from '../steps.js';

const STEPS = ['admitted', 'accepted', 'enroute', 'delivered'];
/** Milliseconds until the first look for what has come of a call without an answer, and between two. */
const LOOK = { first: 300, each: 1000 };
/** How far back it looks: enough for a browser's clock that is a little ahead. */
const RECENT = 60_000;

export function delivery(context) {
  const { api, t, signal, formatDuration, formatTime, formatCost } = context;
  const said = el('p', { role: 'status', class: 'visually-hidden' });
  const shown = el('div', { class: 'stack' });
  const heading = el('h2', { id: 'delivery-heading', tabindex: -1 }, t('try.delivery'));
  const whose = el('p', { class: 'hint' });
  const element = el(
    'section',
    { class: 'card stack delivery', hidden: true, 'aria-labelledby': 'delivery-heading' },
    el('div', {}, heading, whose),
    shown,
  );
  let following = new AbortController();
  signal.addEventListener('abort', () => following.abort());

  return {
    // The status stands beside the card, since what is hidden is not announced.
    element: el('div', {}, said, element),
    /** Sends, and resolves as soon as it is known whether the message was accepted. */
    async send(order) {
      following.abort();
      following = new AbortController();
      const { signal: ended } = following;
      element.hidden = false;
      whose.textContent = t('try.deliveryOf', { number: order.to, time: formatTime(Date.now()) });
      announce(t('try.sending'));
      const sent = { id: null, reached: new Map(), message: null, isDoubted: false };
      replace(shown, stepList(stepsOf(null, sent).items, null, context));
      const looking = new AbortController();
      ended.addEventListener('abort', () => looking.abort());
      look(order, sent, looking.signal);
      let accepted;
      try {
        accepted = await api.post('/api/messages', order, { signal: ended });
      } catch (error) {
        if (!ended.aborted) refuse(error, sent, ended);
        return;
      } finally {
        looking.abort();
      }
      if (ended.aborted) return;
      if (accepted.outcome === 'test_number') {
        render(note('warn', t('try.testNumber'), t('try.testNumberDo')));
        announce(t('try.testNumber'));
        return;
      }
      adopt(sent, accepted.id);
      // The ledger may be a moment behind.
      put({ ...accepted.message, outcome: 'accepted' }, sent);
      watch(sent, ended, { isAnswered: true });
    },
  };

  /** Until GatewayAPI has answered: the seconds, and what the ledger says meanwhile of a message to this number. */
  async function look({ to, type }, sent, signal) {
    const begun = performance.now();
    for (let wait = LOOK.first; ; wait = LOOK.each) {
      await pause(wait, signal);
      if (signal.aborted) return;
      show(sent.message, sent, performance.now() - begun);
      const since = new Date(Date.now() - RECENT).toISOString();
      let found;
      try {
        found = await api.get(`/api/messages?${new URLSearchParams({ number: to, type, since, limit: 2 })}`, { signal });
      } catch {
        // The answer is still to come, and tells more.
        continue;
      }
      if (signal.aborted) return;
      const [newest, other] = found.messages;
      // What is settled is an older one, or has its answer on the way.
      if (!newest || newest.settled_at !== null) continue;
      // Of two, one is somebody else's, and nobody knows which.
      const isOwn = !other || other.settled_at !== null;
      adopt(sent, isOwn ? newest.id : null);
      if (isOwn) put(newest, sent, { waited: performance.now() - begun });
    }
  }

  /** What was seen of one message says nothing of another one. */
  function adopt(sent, id) {
    if (id === sent.id) return;
    sent.id = id;
    sent.reached.clear();
    sent.message = null;
  }

  /** Takes in a state and shows it; `seen` is when it came, where somebody saw it come. */
  function put(message, sent, { seen = null, waited = null } = {}) {
    const { reached } = sent;
    sent.message = message;
    const news = [];
    const reach = (step, moment) => {
      if (reached.has(step)) return;
      reached.set(step, moment);
      news.push(step);
    };
    reach('admitted', null);
    if (message.outcome === 'accepted') reach('accepted', null);
    const step = reportedStep(message);
    if (step !== null) reach(step, seen ?? second(message.delivery.time));
    const total = show(message, sent, waited);
    const last = news.at(-1);
    const isRefused = message.outcome !== 'accepted' && isFinal(message);
    if (last === 'failed' || isRefused) announce(explainMessage(message, context).what);
    else if (last) announce(t(`try.step.${last}`) + (total ? `. ${totalWords(total, context)}` : ''));
  }

  /** `isAnswered`: the call has just been answered, which is when a message is settled. */
  async function watch(sent, ended, { isAnswered }) {
    const began = performance.now();
    /** A moment by this page's clock, and what it was by the service's. */
    let settled = null;
    let isFirst = true;
    function onState(message, isNew) {
      const now = performance.now();
      const at = Date.parse(message.settled_at);
      if (settled === null && !Number.isNaN(at)) {
        const isKnown = isNew || (isFirst && isAnswered);
        settled = { here: isNew ? now : began, there: isKnown ? at : NaN };
      }
      isFirst = false;
      if (sent.isDoubted && isUndecided(message)) return dismiss('.away');
      // GatewayAPI's clock has whole seconds, so what is seen as it comes is timed here, from the answer on.
      const seen = settled && settled.there + now - settled.here;
      put(message, sent, { seen: isNew && Number.isFinite(seen) ? exactly(seen) : null });
    }
    /** Until the next state takes its place. */
    function onAway(fault) {
      if (shown.querySelector('.away')) return;
      const sentence = explainFault(fault, context);
      shown.append(el('p', { class: 'note warn away' }, sentence));
      announce(sentence);
    }
    let wasFinal = false;
    try {
      wasFinal = await follow(api, sent.id, { onState, onAway }, ended);
    } catch (error) {
      if (ended.aborted) return;
      dismiss('.awaited');
      if (error.status === 404) forget(sent);
      // Otherwise what is shown stays.
      return;
    }
    if (ended.aborted) return;
    dismiss('.awaited');
    // Where the service does not answer, nobody knows of reports.
    if (wasFinal || shown.querySelector('.away')) return;
    shown.append(note('warn', t('try.noReport'), t('try.noReportDo')));
    announce(t('try.noReport'));
  }

  /** The ledger has it no more, as after a restart with one in memory: how far it came stays to be seen. */
  function forget({ isDoubted, reached }) {
    dismiss('.away, .history');
    // A call that waited for another one's outcome was never there.
    if (isDoubted && reached.size === 0) return;
    shown.append(note('warn', t('messages.gone'), t('messages.goneWhy')));
    announce(t('messages.gone'));
  }

  function dismiss(selector) {
    const isFocused = shown.contains(document.activeElement);
    for (const old of shown.querySelectorAll(selector)) old.remove();
    if (isFocused && !shown.contains(document.activeElement)) heading.focus();
  }

  /**
   * Shows how far a message is, and gives the time until its end, if that is known. `waited` are the milliseconds
   * without an answer, where there is none yet.
   */
  function show(message, sent, waited = null) {
    const { items, total } = stepsOf(message, sent, waited);
    const why = message && isFinal(message) ? explainMessage(message, context) : null;
    const code = message?.delivery?.error_code ?? message?.error_code;
    const isBad = message && (hasFailed(message) || message.outcome !== 'accepted');
    render(
      stepList(items, total, context),
      why && note(isBad ? 'bad' : 'warn', why.what, why.todo, code && facts([[t('try.errorCode'), code]])),
      sent.id && historyLink(sent.id),
    );
    return total;
  }

  /** Whoever is at the link stays there, or at the delivery where there is none any more. */
  function render(...nodes) {
    const isFocused = shown.contains(document.activeElement);
    replace(shown, ...nodes);
    if (isFocused) (shown.querySelector('.history a') ?? heading).focus();
  }

  /** `message` is `null` while nothing is known. */
  function stepsOf(message, { reached, isDoubted }, waited = null) {
    const { admitted, settled } = momentsOf(message ?? {});
    // What was settled first was the doubt.
    const own = { admitted, accepted: isDoubted ? null : settled };
    const moments = new Map([...reached].map(([step, moment]) => [step, own[step] ?? moment]));
    const { steps, total } = durations([...moments.values()]);
    const took = new Map([...moments.keys()].map((step, at) => [step, steps[at]]));
    const more = {
      admitted: message?.admitted_at && formatTime(message.admitted_at),
      accepted: costOf(message),
      enroute: message?.delivery && !isFinal(message) && message.status !== 'enroute' && statusName(message.status, context),
    };
    const isOver = message !== null && isFinal(message);
    const last = STEPS.findLastIndex((step) => reached.has(step));
    const states = STEPS.map((step, at) => [step, at <= last ? 'done' : at === last + 1 ? 'waiting' : 'ahead']);
    const listed = isOver ? states.slice(0, last + 1) : states;
    if (reached.has('failed')) listed.push(['failed', 'failed']);
    const items = listed.map(([step, state]) => ({
      name: t(`try.step.${step}`),
      state,
      more: reached.has(step) && more[step],
      took: took.get(step),
      since: state === 'waiting' ? waited : null,
    }));
    return { items, total: isOver ? total : null };
  }

  function costOf(message) {
    return message?.cost === null || message?.cost === undefined ? '' : formatCost(message.cost, message.currency);
  }

  function refuse(error, sent, ended) {
    const { problem, status, retryAfter } = error;
    const { what, todo } = explainProblem(error, context);
    announce(what);
    const known = [
      problem.limit && [t('try.limit'), problem.rule ? `${problem.limit} (${problem.rule})` : problem.limit],
      // What a list refuses would not pass later either.
      problem.limit && problem.rule !== 'list' && retryAfter !== null && [t('try.retry'), t('try.retryIn', { wait: formatDuration(retryAfter * 1000) })],
      problem.error_code && [t('try.errorCode'), problem.error_code],
      problem.incident_uuid && [t('try.incident'), problem.incident_uuid],
      status && [t('try.status'), `HTTP ${status}`],
      problem.message_id && [t('try.messageId'), problem.message_id],
    ];
    // Without any answer, the id is the one that was seen meanwhile.
    adopt(sent, problem.message_id ?? (status === 0 ? sent.id : null));
    sent.isDoubted = Boolean(sent.id) && (status === 0 || isUnknown(problem));
    render(
      note(
        'bad',
        what,
        todo,
        sent.isDoubted && el('p', { class: 'awaited' }, t('try.awaited')),
        problem.person_reads && el('p', {}, el('span', { class: 'muted' }, t('try.personReads')), ' ', el('q', {}, problem.person_reads)),
        facts(known.filter(Boolean)),
      ),
      (sent.isDoubted || isKept(problem)) && historyLink(sent.id),
    );
    if (sent.isDoubted) watch(sent, ended, { isAnswered: status !== 0 });
  }

  function historyLink(id) {
    return el('p', { class: 'history' }, el('a', { href: `#/messages/${encodeURIComponent(id)}` }, t('try.history')));
  }

  function note(tone, what, todo, ...more) {
    return el('div', { class: `note ${tone}` }, el('strong', {}, what), el('p', {}, todo), ...more);
  }

  function facts(list) {
    return el('dl', { class: 'known' }, list.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', { class: 'mono' }, value))));
  }

  function announce(sentence) {
    said.textContent = sentence;
  }
}

/** Which step a report is about; `null`: there is none. */
function reportedStep(message) {
  if (!message.delivery) return null;
  if (isDelivered(message)) return 'delivered';
  return hasFailed(message) ? 'failed' : 'enroute';
}

/** Nobody knows yet whether the message was sent. */
function isUndecided({ outcome, delivery }) {
  return !delivery && (outcome === null || outcome === 'unknown');
}

function isUnknown({ type }) {
  return String(type).endsWith(':outcome_unknown');
}

/** Whether the ledger has the message: the limits and the number's check come first. */
function isKept({ message_id: id, limit, error_kind: kind, type = '' }) {
  if (!id || limit || type.endsWith(':number_unusable')) return false;
  return Boolean(kind) || !type.endsWith(':unavailable');
}
