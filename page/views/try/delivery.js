// What becomes of a test delivery, as it happens.

import { el, replace } from '../../dom.js';
import { follow } from '../../follow.js';
import { explainMessage, explainProblem, isDelivered, isFinal, statusName } from '../../outcomes.js';

const STEPS = ['admitted', 'accepted', 'enroute', 'delivered'];

export function delivery(context) {
  const { api, t, signal, formatDuration, formatCost } = context;
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
      const begun = performance.now();
      const states = new Map();
      element.hidden = false;
      announce(t('try.sending'));
      replace(shown, steps(states, 'admitted'));
      let accepted;
      try {
        accepted = await api.post('/api/messages', order, { signal: ended });
      } catch (error) {
        if (!ended.aborted) refuse(error);
        return;
      }
      if (ended.aborted) return;
      const answered = performance.now() - begun;
      if (accepted.outcome === 'test_number') {
        replace(shown, note('warn', t('try.testNumber'), t('try.testNumberDo')));
        announce(t('try.testNumber'));
        return;
      }
      const first = accepted.message;
      const way = first ? Date.parse(first.settled_at) - Date.parse(first.admitted_at) : 0;
      states.set('admitted', { after: Math.max(0, answered - way) });
      states.set('accepted', { after: answered, more: costOf(first) });
      tell(first, accepted.id, states);
      announce(t('try.step.accepted'));
      watch(accepted.id, states, begun, ended);
    },
  };

  async function watch(id, states, begun, ended) {
    function onState(message) {
      const after = performance.now() - begun;
      states.get('accepted').more = costOf(message);
      if (message.delivery) {
        const step = isDelivered(message) ? 'delivered' : isFinal(message) ? 'failed' : 'enroute';
        if (!states.has(step)) {
          states.set(step, { after });
          announce(step === 'failed' ? explainMessage(message, context).what : t(`try.step.${step}`));
        }
      }
      if (states.has('enroute') && !isFinal(message)) {
        states.get('enroute').more = message.status === 'enroute' ? '' : statusName(message.status, context);
      }
      tell(message, id, states);
    }
    let wasFinal = false;
    try {
      wasFinal = await follow(api, id, onState, ended);
    } catch {
      // The message may be gone from the ledger; what is shown stays.
    }
    if (ended.aborted || wasFinal) return;
    shown.append(note('warn', t('try.noReport'), t('try.noReportDo')));
    announce(t('try.noReport'));
  }

  function tell(message, id, states) {
    const failed = message && isFinal(message) && !isDelivered(message) ? explainMessage(message, context) : null;
    const waiting = failed ? null : STEPS.find((step, at) => !STEPS.slice(at).some((later) => states.has(later)));
    const code = message?.delivery?.error_code ?? message?.error_code;
    replace(
      shown,
      steps(states, waiting, failed),
      failed && note('bad', failed.what, failed.todo, code && facts([[t('try.errorCode'), code]])),
      el('p', {}, el('a', { href: `#/messages/${encodeURIComponent(id)}` }, t('try.history'))),
    );
  }

  function steps(states, waiting, failed) {
    const lastSeen = STEPS.findLastIndex((step) => states.has(step));
    const items = STEPS.map((step, at) => {
      const state = states.get(step);
      const isDone = at <= lastSeen;
      if (failed && !isDone) return null;
      const name = isDone ? 'done' : step === waiting ? 'waiting' : 'ahead';
      return item(name, t(`try.step.${step}`), state);
    });
    if (failed) items.push(item('failed', t('try.step.failed'), states.get('failed')));
    return el('ol', { class: 'steps' }, items);
  }

  function item(name, label, state) {
    return el(
      'li',
      { class: `step ${name}` },
      el('span', { class: 'step-mark', 'aria-hidden': 'true' }),
      el('span', { class: 'step-name' }, label, el('span', { class: 'visually-hidden' }, ` (${t(`try.is.${name}`)})`)),
      el('span', { class: 'step-more muted' }, state?.more ?? ''),
      el('span', { class: 'step-time number muted' }, state ? formatDuration(state.after) : ''),
    );
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
      retryAfter !== null && [t('try.retry'), t('try.retryIn', { wait: formatDuration(retryAfter * 1000) })],
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
    );
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
