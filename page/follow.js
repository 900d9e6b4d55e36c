// Follows a message until nothing more is to be expected of it.

import { isFinal } from './outcomes.js';
import { pause } from './pause.js';

/** Milliseconds before a broken stream is opened again, and for how long. */
const PAUSE = 2000;
const PATIENCE = 5 * 60_000;
/** A stream that ends sooner was ended by a service that stops, and may be back soon. The others last 5 minutes. */
const SHORTEST = 4.5 * 60_000;

/**
 * Tells each state of a message, and whether it has come just now: the one that a stream begins with may be older. Tells
 * `onAway` when the service stops answering, until it does again. Resolves to `true` when the last state was final, and to
 * `false` when none followed.
 */
export async function follow(api, id, { onState, onAway }, signal) {
  let last = null;
  let answered = performance.now();
  while (!signal.aborted) {
    const begun = performance.now();
    let hasBegun = false;
    try {
      await api.stream(
        `/api/messages/${encodeURIComponent(id)}/events`,
        (message) => {
          last = message;
          answered = performance.now();
          onState(message, hasBegun);
          hasBegun = true;
        },
        signal,
      );
      if (last !== null && isFinal(last)) return true;
      if (performance.now() - begun >= SHORTEST) return false;
    } catch (error) {
      if (signal.aborted) return false;
      if (error.status !== 0 && error.status !== 503) throw error;
    }
    if (performance.now() - answered >= PATIENCE) return false;
    onAway();
    await pause(PAUSE, signal);
  }
  return false;
}
