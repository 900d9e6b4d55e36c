// Waits between two turns of a view.

/**
 * Resolves after a time, or as soon as `signal` ends it. With `seen`, the pause of a hidden tab lasts until somebody looks
 * at it again, and ends then at once.
 */
export function pause(milliseconds, signal, { seen = false } = {}) {
  return new Promise((resolve) => {
    const look = () => !document.hidden && done();
    const timer = setTimeout(seen ? look : done, milliseconds);
    if (seen) document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
    function done() {
      clearTimeout(timer);
      if (seen) document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
