// Times as the page writes them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFormats } from '../../page/formats.js';

const t = (key, { value }) => `${value} ${key.replace('frame.', '')}`;
const { formatDuration } = createFormats({ tag: 'en', t });

for (const [milliseconds, expected] of [
  [-3, '0 milliseconds'],
  [999.4, '999 milliseconds'],
  [999.6, '1 seconds'],
  [119_900, '119.9 seconds'],
  [119_960, '2 minutes'],
  [7_169_000, '119 minutes'],
  [7_171_000, '2 hours'],
]) {
  test(`${milliseconds} ms are ${expected}`, () => assert.equal(formatDuration(milliseconds), expected));
}
