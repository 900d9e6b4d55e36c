// The pause between two turns of a view.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { pause } from '../../page/pause.js';

test('a pause leaves nothing behind at the signal of its view', async () => {
  const { signal } = new AbortController();
  for (let turn = 0; turn < 3; turn += 1) await pause(1, signal);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a signal ends a pause, and one that has ended lets none begin', async () => {
  const view = new AbortController();
  const paused = pause(3_600_000, view.signal);
  view.abort();
  await paused;
  await pause(3_600_000, view.signal);
  assert.equal(getEventListeners(view.signal, 'abort').length, 0);
});
