// Follows a message until nothing more is to be expected of it.

import { isFinal } from './outcomes.js';
import { pause } from './pause.js';

/** Milliseconds before a broken stream is opened again. */
const PAUSE = 2000;
const TRIES = 5;

/**
 * Tells each state of a message, and whether it has come just now: the one that a stream begins with may be older. Resolves to `true` when the last one was final, and to `false` when the
 * service stopped telling before.
 */
export async function follow(api, id, onState, signal) {
  let last = null;
  for (let tries = 0; tries < TRIES; tries += 1) {
    let hasBegun = false;
    try {
      await api.stream(
        `/api/messages/${encodeURIComponent(id)}/events`,
        (message) => {
          last = message;
          tries = 0;
          onState(message, hasBegun);
          hasBegun = true;
        },
        signal,
      );
      return last !== null && isFinal(last);
    } catch (error) {
      if (signal.aborted) return false;
      if (error.status !== 0 && error.status !== 503) throw error;
      await pause(PAUSE, signal);
    }
  }
  return false;
}
