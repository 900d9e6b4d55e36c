// Why a message was not sent or did not arrive, in words, and what to do about it.

const PROBLEM = 'urn:gatewayapi-sms-connector:problem:';
/** Outcomes after which a message may still arrive. */
const MAY_HAVE_LEFT = ['accepted', 'unknown'];
/** Delivery states that others follow. */
const TRANSIENT = ['SCHEDULED', 'BUFFERED', 'ENROUTE', 'UNKNOWN'];
/** Final states that are no failures. After `ACCEPTED` a network tells no more. */
const TAKEN = ['DELIVERED', 'ACCEPTED'];

const TONES = {
  delivered: 'good',
  accepted: '',
  open: '',
  scheduled: '',
  buffered: '',
  enroute: '',
  unknown: 'warn',
  skipped: 'warn',
};

/** Why something could not be loaded. */
export function explainFault(error, { t }) {
  return error.status === 0 ? t('frame.noAnswer') : t('frame.fault', { detail: error.message });
}

/** What a refused test delivery was refused for: `{ what, todo }`. */
export function explainProblem(error, { t, has }) {
  const { problem } = error;
  const type = String(problem.type ?? '').replace(PROBLEM, '');
  const candidates = [
    problem.limit && `limit.${problem.limit}.${problem.rule}`,
    problem.error_kind && `kind.${problem.error_kind}`,
    problem.segments && 'cause.too_many_segments',
    error.status === 0 && 'type.no_answer',
    type && `type.${type}`,
    'type.other',
  ];
  const values = { detail: problem.detail ?? `HTTP ${error.status}`, count: problem.segments, most: problem.max_segments };
  const beside = [problem.incident_uuid && 'incident', problem.error_code && 'code', problem.message_id && 'id'];
  return words(candidates, values, beside, { t, has });
}

/** Why a message of the ledger failed, or is not known to have arrived; `null` where nothing is wrong. */
export function explainMessage(message, { t, has }) {
  const { delivery, outcome, error_kind: kind } = message;
  if (delivery && !TRANSIENT.includes(delivery.status)) {
    if (isDelivered(message)) return null;
    const candidates = [
      delivery.error_group && `group.${delivery.error_group}`,
      `delivery.${delivery.status.toLowerCase()}`,
      'group.OTHER',
    ];
    return words(candidates, {}, [delivery.error_code && 'code'], { t, has });
  }
  if (delivery || outcome === null || outcome === 'accepted') return null;
  const beside = ['log', message.error_code && 'code'];
  return words([kind && `kind.${kind}`, `outcome.${outcome}`, 'outcome.unknown'], {}, beside, { t, has });
}

/** `beside` is what the advice may point to, where there is such a thing. */
function words(candidates, values, beside, { t, has }) {
  const key = candidates.find((candidate) => candidate && has(`outcomes.${candidate}.what`));
  const advice = [...beside.filter(Boolean).map((thing) => `do_${thing}`), 'do'];
  const todo = advice.find((one) => has(`outcomes.${key}.${one}`));
  return { what: t(`outcomes.${key}.what`, values), todo: t(`outcomes.${key}.${todo}`, values) };
}

/** A status of the ledger, in words. */
export function statusName(status, { t, has }) {
  return has(`outcomes.status.${status}`) ? t(`outcomes.status.${status}`) : status;
}

/** How a status looks: `good`, `warn`, `bad`, or nothing in particular. */
export function statusTone(status) {
  return TONES[status] ?? 'bad';
}

/** Nothing more is to be expected of a message. */
export function isFinal({ outcome, delivery }) {
  if (delivery) return !TRANSIENT.includes(delivery.status);
  return outcome !== null && !MAY_HAVE_LEFT.includes(outcome);
}

/** It was accepted, and did not arrive. */
export function hasFailed(message) {
  return isFinal(message) && Boolean(message.delivery) && !TAKEN.includes(message.delivery.status);
}

export function isDelivered({ delivery }) {
  return delivery !== null && delivery !== undefined && delivery.status === 'DELIVERED';
}
