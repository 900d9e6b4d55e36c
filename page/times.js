// How long the steps of a message took. A moment is the span of milliseconds in which it lies.

/** A moment by the service's clock. `null`: none is known. */
export function moment(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : exactly(at);
}

export function exactly(milliseconds) {
  return { from: milliseconds, to: milliseconds };
}

/** A moment by GatewayAPI's clock, which has whole seconds. */
export function second(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : { from: at, to: at + 1000 };
}

/**
 * What each step took since the last known one before it, and all took together. `moments` are theirs, the first of
 * which begins. A time that can't be told, as between moments of the same second, is `null`.
 */
export function durations(moments) {
  const [begun] = moments;
  let last = begun;
  const steps = moments.map((moment, index) => {
    if (index === 0 || !last || !moment || moment.from < last.to) return null;
    const took = between(last, moment);
    last = moment;
    return took;
  });
  const isWhole = last !== begun && last === moments.at(-1);
  return { steps, total: isWhole ? between(begun, last) : null };
}

/**
 * The moments that the ledger has of a message, by the name of the step. An answer that came after the report of what
 * it is about does not tell when that was. A report from before the message is GatewayAPI's clock being behind.
 */
export function momentsOf({ admitted_at: admitted, sent_at: sent, settled_at: settled, delivery }) {
  const [begun, answered, reported] = [moment(admitted), moment(settled), second(delivery?.time)];
  const isPossible = reported && !(begun && reported.to <= begun.from);
  const isOvertaken = answered && isPossible && reported.to <= answered.from;
  return { admitted: begun, sent: moment(sent), settled: isOvertaken ? null : answered, reported };
}

function between(start, end) {
  const middle = ({ from, to }) => (from + to) / 2;
  return { milliseconds: middle(end) - middle(start), isAbout: [start, end].some(({ from, to }) => to > from) };
}
