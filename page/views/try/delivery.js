// What becomes of a test delivery, as it happens.

import { el, replace } from '../../dom.js';
import { follow } from '../../follow.js';
import { explainFault, explainMessage, explainProblem, hasFailed, isDelivered, isFinal, statusName } from '../../outcomes.js';
import { durations, exactly, momentsOf, second } from '../../times.js';
import { stepList, totalWords } from '../steps.js';

const STEPS = ['admitted', 'accepted', 'enroute', 'delivered'];

export function delivery(context) {
  const { api, t, signal, formatDuration, formatTime, formatCost } = context;
  const said = el('p', { role: 'status', class: 'visually-hidden' });
  const shown = el('div', { class: 'stack' });
  const element = el(
    'section',
    { class: 'card stack delivery', hidden: true, 'aria-labelledby': 'delivery-heading' },
    el('h2', { id: 'delivery-heading' }, t('try.delivery')),
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
      announce(t('try.sending'));
      replace(shown, stepList(stepsOf(null, new Map()).items, null, context));
      let accepted;
      try {
        accepted = await api.post('/api/messages', order, { signal: ended });
      } catch (error) {
        if (!ended.aborted) refuse(error);
        return;
      }
      if (ended.aborted) return;
      const answered = performance.now();
      if (accepted.outcome === 'test_number') {
        replace(shown, note('warn', t('try.testNumber'), t('try.testNumberDo')));
        announce(t('try.testNumber'));
        return;
      }
      const reached = new Map([['admitted', null], ['accepted', null]]);
      tell(accepted.id, accepted.message ?? { outcome: 'accepted' }, reached);
      announce(t('try.step.accepted'));
      watch(accepted.id, reached, answered, ended);
    },
  };

  /** `reached` are the steps until now, each with its moment, where one is known. */
  async function watch(id, reached, answered, ended) {
    function onState(message, isNew) {
      const step = reportedStep(message);
      const isNext = step !== null && !reached.has(step);
      if (isNext) {
        // GatewayAPI's clock has whole seconds, so what is seen as it comes is timed here, from the answer on.
        const seen = Date.parse(message.settled_at) + performance.now() - answered;
        reached.set(step, isNew && !Number.isNaN(seen) ? exactly(seen) : second(message.delivery.time));
      }
      const total = tell(id, message, reached);
      if (!isNext) return;
      if (step === 'failed') announce(explainMessage(message, context).what);
      else announce(t(`try.step.${step}`) + (total ? `. ${totalWords(total, context)}` : ''));
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
      wasFinal = await follow(api, id, { onState, onAway }, ended);
    } catch (error) {
      if (!ended.aborted && error.status === 404) forget();
      // Otherwise what is shown stays.
      return;
    }
    // Where the service does not answer, nobody knows of reports.
    if (ended.aborted || wasFinal || shown.querySelector('.away')) return;
    shown.append(note('warn', t('try.noReport'), t('try.noReportDo')));
    announce(t('try.noReport'));
  }

  /** The ledger has it no more, as after a restart with one in memory: how far it came stays to be seen. */
  function forget() {
    for (const old of shown.querySelectorAll('.away, .history')) old.remove();
    shown.append(note('warn', t('messages.gone'), t('messages.goneWhy')));
    announce(t('messages.gone'));
  }

  /** Shows how far a message is, and gives the time until its end, if that is known. */
  function tell(id, message, reached) {
    const { items, total } = stepsOf(message, reached);
    const why = isFinal(message) ? explainMessage(message, context) : null;
    const code = message.delivery?.error_code ?? message.error_code;
    replace(
      shown,
      stepList(items, total, context),
      why && note(hasFailed(message) ? 'bad' : 'warn', why.what, why.todo, code && facts([[t('try.errorCode'), code]])),
      historyLink(id),
    );
    return total;
  }

  /** `message` is `null` until the service has answered. */
  function stepsOf(message, reached) {
    const { admitted, settled } = momentsOf(message ?? {});
    const moments = new Map([...reached].map(([step, moment]) => [step, { admitted, accepted: settled }[step] ?? moment]));
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
    }));
    return { items, total: isOver ? total : null };
  }

  function costOf(message) {
    return message?.cost === null || message?.cost === undefined ? '' : formatCost(message.cost, message.currency);
  }

  function refuse(error) {
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
    replace(
      shown,
      note(
        'bad',
        what,
        todo,
        problem.person_reads && el('p', {}, el('span', { class: 'muted' }, t('try.personReads')), ' ', el('q', {}, problem.person_reads)),
        facts(known.filter(Boolean)),
      ),
      isKept(problem) && historyLink(problem.message_id),
    );
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

/** Whether the ledger has the message: the limits and the number's check come first. */
function isKept({ message_id: id, limit, error_kind: kind, type = '' }) {
  if (!id || limit || type.endsWith(':number_unusable')) return false;
  return Boolean(kind) || !type.endsWith(':unavailable');
}
