// How long the steps of a message took.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durations, moment, momentsOf, second } from '../../page/times.js';

const T = '2026-11-25T12:00:';
const exactly = (milliseconds) => ({ milliseconds, isAbout: false });
const about = (milliseconds) => ({ milliseconds, isAbout: true });

test('each step counts from the one before that is known, and the total from the first', () => {
  const known = [moment(`${T}00.100Z`), moment(`${T}00.140Z`), null, moment(`${T}02.140Z`)];
  assert.deepEqual(durations(known), { steps: [null, exactly(40), null, exactly(2000)], total: exactly(2040) });
});

test('a moment within a second is taken for its middle', () => {
  const known = [moment(`${T}00.100Z`), second(`${T}01Z`), second(`${T}03Z`)];
  assert.deepEqual(durations(known), { steps: [null, about(1400), about(2000)], total: about(3400) });
});

test('what seems to come before, or in the very second of, the step before has no time and no total', () => {
  const begun = moment(`${T}01.100Z`);
  for (const end of [moment(`${T}01.099Z`), second(`${T}01Z`), second(`${T}00Z`), moment('?'), second(undefined)]) {
    assert.deepEqual(durations([begun, end]), { steps: [null, null], total: null });
  }
  assert.deepEqual(durations([begun, second(`${T}02Z`), second(`${T}02Z`)]).total, null);
});

test('without a beginning there are no times', () => {
  assert.deepEqual(durations([null, moment(`${T}01.100Z`)]), { steps: [null, null], total: null });
  assert.deepEqual(durations([moment(`${T}01.100Z`)]), { steps: [null], total: null });
});

test('an answer that came after the report of its message does not tell when the message was accepted', () => {
  const message = (settled) => ({ admitted_at: `${T}00.100Z`, settled_at: `${T}${settled}Z`, delivery: { time: `${T}01Z` } });
  assert.deepEqual(momentsOf(message('03.100')).settled, null);
  // Within the second of the report nobody can tell.
  assert.deepEqual(momentsOf(message('01.900')).settled, moment(`${T}01.900Z`));
  // A report of before the message was even admitted is one of a clock that is behind.
  assert.deepEqual(momentsOf({ ...message('03.100'), admitted_at: `${T}02.900Z` }).settled, moment(`${T}03.100Z`));
  const { admitted, settled, reported } = momentsOf(message('03.100'));
  assert.deepEqual(durations([admitted, settled, reported]), { steps: [null, null, about(1400)], total: about(1400) });
});
