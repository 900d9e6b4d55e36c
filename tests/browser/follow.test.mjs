// How a message is followed while streams of events are not to be had.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ApiError } from '../../page/api.js';
import { follow } from '../../page/follow.js';

const ID = '01a21315-eaac-72e6-8439-7016f9a473e9';
const PROBLEM = 'urn:gatewayapi-sms-connector:problem:';
const message = (status) => ({ id: ID, status, outcome: 'accepted', delivery: status === 'accepted' ? null : { status: status.toUpperCase() } });

/** Follows a message, all streams being taken, whose state is one after the other of these. Gives what was told. */
async function followWithoutStream(states, onceMore = () => {}) {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const told = [];
    const api = {
      async stream() {
        throw new ApiError(503, { type: `${PROBLEM}too_many_streams` });
      },
      async get(path) {
        assert.equal(path, `/api/messages/${ID}`);
        const state = states.length > 1 ? states.shift() : states[0];
        if (state instanceof Error) throw state;
        return message(state);
      },
    };
    const onState = ({ status }, isNew) => told.push([status, isNew]);
    const onAway = ({ status }) => told.push(['away', status]);
    let isOver = false;
    const followed = follow(api, ID, { onState, onAway }, new AbortController().signal).finally(() => (isOver = true));
    followed.catch(() => {});
    while (!isOver) {
      mock.timers.tick(100);
      await new Promise((resolve) => setImmediate(resolve));
      onceMore();
    }
    return { told, wasFinal: await followed };
  } finally {
    mock.timers.reset();
  }
}

test('where all streams are taken the message is asked for, and nothing is called away', async () => {
  const { told, wasFinal } = await followWithoutStream(['accepted', 'accepted', 'enroute', 'delivered']);
  assert.deepEqual(told, [
    ['accepted', false],
    ['enroute', false],
    ['delivered', false],
  ]);
  assert.equal(wasFinal, true);
});

test('a service that stops meanwhile is told, and so is the next state', async () => {
  const { told } = await followWithoutStream(['accepted', new ApiError(0), 'accepted', 'delivered']);
  assert.deepEqual(told, [
    ['accepted', false],
    ['away', 0],
    ['accepted', false],
    ['delivered', false],
  ]);
});

test('the message is not asked for without end', async (context) => {
  let now = performance.now();
  context.mock.method(performance, 'now', () => now);
  const { told, wasFinal } = await followWithoutStream(['accepted'], () => (now += 100));
  assert.deepEqual([told, wasFinal], [[['accepted', false]], false]);
});

test('a message that is not known any more ends it', async () => {
  await assert.rejects(followWithoutStream(['accepted', new ApiError(404)]), { status: 404 });
});
