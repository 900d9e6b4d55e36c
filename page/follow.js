// Follows a message until nothing more is to be expected of it.

import { isFinal } from './outcomes.js';
import { pause } from './pause.js';

/** Milliseconds before a broken stream is opened again, and for how long. */
const PAUSE = 2000;
export const PATIENCE = 5 * 60_000;
/** A stream that ends sooner was ended by a service that stops, and may be back soon. The others last 5 minutes. */
export const SHORTEST = 4.5 * 60_000;
/** As of an `ApiError`. */
const NO_ANSWER = { status: 0 };

/**
 * Tells each state of a message, and whether it has come just now: the one that a stream begins with may be older. Tells
 * `onAway` why when the service stops answering, until it does again. While it has no stream left, the message is asked
 * for. Resolves to `true` when the last state was final, and to `false` when none followed.
 */
export async function follow(api, id, { onState, onAway }, signal) {
  const path = `/api/messages/${encodeURIComponent(id)}`;
  const started = performance.now();
  let answered = started;
  let last = null;
  let isAway = false;
  while (!signal.aborted) {
    const begun = performance.now();
    let fault = NO_ANSWER;
    try {
      await listen();
      if (last !== null && isFinal(last)) return true;
      if (performance.now() - begun >= SHORTEST) return false;
    } catch (error) {
      if (signal.aborted) return false;
      fault = isFull(error) ? await ask() : passing(error);
      if (signal.aborted) return false;
      if (fault === null && isFinal(last)) return true;
    }
    if (performance.now() - (fault ? answered : started) >= PATIENCE) return false;
    isAway = fault !== null;
    if (isAway) onAway(fault);
    await pause(PAUSE, signal);
  }
  return false;

  async function listen() {
    let hasBegun = false;
    await api.stream(
      `${path}/events`,
      (message) => {
        tell(message, hasBegun);
        hasBegun = true;
      },
      signal,
    );
  }

  /** `null`: there was an answer. */
  async function ask() {
    try {
      const message = await api.get(path, { signal });
      answered = performance.now();
      if (isAway || JSON.stringify(message) !== JSON.stringify(last)) tell(message, false);
      return null;
    } catch (error) {
      return signal.aborted ? null : passing(error);
    }
  }

  function tell(message, isNew) {
    last = message;
    answered = performance.now();
    isAway = false;
    onState(message, isNew);
  }
}

/** All places for streams are taken. */
function isFull({ problem }) {
  return String(problem?.type).endsWith(':too_many_streams');
}

/** Gives a fault that may pass, and throws any other. */
function passing(error) {
  if (error.status !== 0 && error.status !== 503) throw error;
  return error;
}
