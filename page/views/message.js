// A message's history.

import { el, replace } from '../dom.js';
import { follow } from '../follow.js';
import { explainMessage, isFinal, statusName, statusTone } from '../outcomes.js';

export const title = 'messages.one';

export async function show(root, context) {
  const { api, t, signal, parameter: id, formatMoment, formatDuration, formatCost, countryName, languageName } = context;
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
    follow(api, id, put, signal).catch(() => {
      // What is shown stays.
    });
  }
  return () => {};

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
        el('ol', { class: 'steps' }, times(message)),
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

  function times(message) {
    const begun = Date.parse(message.admitted_at);
    const { delivery } = message;
    const failed = delivery && isFinal(message) && statusTone(message.status) === 'bad';
    const accepted = message.outcome === 'accepted';
    const known = [
      ['admitted', message.admitted_at, 'done'],
      ['sent', message.sent_at, 'done'],
      [accepted ? 'accepted' : 'settled', message.settled_at, accepted ? 'done' : 'failed', accepted ? null : message.outcome],
      ['reported', delivery?.time, failed ? 'failed' : 'done', delivery?.status.toLowerCase()],
    ];
    return known
      .filter(([, moment]) => moment)
      .map(([step, moment, state, is]) => {
        const after = Date.parse(moment) - begun;
        // GatewayAPI's clock has whole seconds, so a report may seem to come before our own times.
        const isTold = step !== 'admitted' && (step !== 'reported' || moment >= message.settled_at);
        return el(
          'li',
          { class: `step ${state}` },
          el('span', { class: 'step-mark', 'aria-hidden': 'true' }),
          el('span', { class: 'step-name' }, t(`messages.step.${step}`, { status: is ? statusName(is, context) : '' })),
          el('span', { class: 'step-more muted number' }, el('time', { datetime: moment }, formatMoment(moment))),
          el('span', { class: 'step-time number muted' }, isTold ? `+ ${formatDuration(after)}` : ''),
        );
      });
  }

  function facts(message) {
    const { delivery } = message;
    const known = [
      ['country', message.country && `${countryName(message.country)} (${message.country})`],
      ['type', message.usage_type],
      ['locale', message.locale && `${languageName(message.locale)} (${message.locale})`],
      ['variant', message.template_variant, true],
      ['encoding', message.encoding && (message.encoding === 'UTF8' ? 'GSM 03.38' : 'UCS-2')],
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
