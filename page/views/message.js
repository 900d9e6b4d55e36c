// A message's history.

import { el, replace } from '../dom.js';
import { encodingName } from '../encoding.js';
import { follow } from '../follow.js';
import { explainFault, explainMessage, isFinal, statusName, statusTone } from '../outcomes.js';
import { durations, momentsOf } from '../times.js';
import { stepList } from './steps.js';

export const title = 'messages.one';

export async function show(root, context) {
  const { api, t, signal, parameter: id, formatMoment, formatCost, countryName, languageName } = context;
  const said = el('p', { role: 'status', class: 'visually-hidden' });
  const place = el('div', { class: 'stack' });
  root.append(el('p', {}, el('a', { href: '#/messages' }, t('messages.back'))), said, place);
  let status = null;

  let message;
  try {
    message = await api.get(`/api/messages/${encodeURIComponent(id)}`, { signal });
  } catch (error) {
    if (error.status !== 404) throw error;
    replace(place, el('div', { class: 'note warn' }, el('strong', {}, t('messages.unknown')), el('p', {}, t('messages.unknownWhy'))));
    return () => {};
  }
  put(message);
  if (!isFinal(message)) {
    follow(api, id, { onState: put, onAway }, signal).catch((error) => {
      if (!signal.aborted && error.status === 404) announceEnd(t('messages.gone'), t('messages.goneWhy'));
      // Otherwise what is shown stays.
    });
  }
  return () => {};

  /** Until the next state takes its place. */
  function onAway(fault) {
    announceEnd(explainFault(fault, context));
  }

  /** What is shown stays, and is not followed. */
  function announceEnd(what, why) {
    if (said.textContent === what) return;
    for (const old of place.querySelectorAll('.away, .live')) old.remove();
    place.prepend(el('div', { class: 'note warn away' }, el('strong', {}, what), why && el('p', {}, why)));
    said.textContent = what;
  }

  function put(message) {
    const name = statusName(message.status, context);
    if (status !== null && status !== name) said.textContent = name;
    status = name;
    const why = explainMessage(message, context);
    const tone = statusTone(message.status);
    replace(
      place,
      el(
        'section',
        { class: 'card stack' },
        el(
          'div',
          { class: 'row' },
          el('span', { class: 'mono to' }, message.to),
          el('span', { class: `badge ${tone}` }, name),
          isFinal(message) ? null : el('span', { class: 'live is-live' }, t('messages.following')),
        ),
        why && el('div', { class: `note ${tone || 'warn'}` }, el('strong', {}, why.what), el('p', {}, why.todo)),
        el('h2', {}, t('messages.history')),
        history(message),
      ),
      el(
        'section',
        { class: 'card stack' },
        el('h2', {}, t('messages.facts')),
        el(
          'dl',
          { class: 'fact-grid' },
          facts(message).map(([fact, value, isMono]) =>
            el('div', {}, el('dt', {}, t(`messages.fact.${fact}`)), el('dd', { class: isMono ? 'mono' : null }, value)),
          ),
        ),
      ),
    );
  }

  function history(message) {
    const { delivery } = message;
    const failed = delivery && isFinal(message) && statusTone(message.status) === 'bad';
    const accepted = message.outcome === 'accepted';
    const known = [
      ['admitted', message.admitted_at, 'done'],
      ['sent', message.sent_at, 'done'],
      [accepted ? 'accepted' : 'settled', message.settled_at, accepted ? 'done' : 'failed', accepted ? null : message.outcome],
      ['reported', delivery?.time, failed ? 'failed' : 'done', delivery?.status.toLowerCase()],
    ].filter(([, time]) => time);
    const moments = momentsOf(message);
    const { steps, total } = durations(known.map(([step]) => moments[step === 'accepted' ? 'settled' : step]));
    const items = known.map(([step, time, state, is], at) => ({
      name: t(`messages.step.${step}`, { status: is ? statusName(is, context) : '' }),
      state,
      more: el('time', { datetime: time }, formatMoment(time)),
      took: steps[at],
    }));
    return stepList(items, isFinal(message) ? total : null, context);
  }

  function facts(message) {
    const { delivery } = message;
    const known = [
      ['country', message.country && `${countryName(message.country)} (${message.country})`],
      ['type', message.usage_type],
      ['locale', message.locale && `${languageName(message.locale)} (${message.locale})`],
      ['variant', message.template_variant, true],
      ['encoding', message.encoding && encodingName(message.encoding)],
      ['segments', message.segments],
      ['cost', message.cost === null ? null : formatCost(message.cost, message.currency)],
      ['errorKind', message.error_kind, true],
      ['errorCode', message.error_code, true],
      ['delivery', delivery?.status, true],
      ['errorGroup', delivery?.error_group, true],
      ['deliveryCode', delivery?.error_code, true],
      ['gatewayapi', message.gatewayapi_id, true],
      ['id', message.id, true],
    ];
    return known.filter(([, value]) => value !== null && value !== undefined);
  }
}
