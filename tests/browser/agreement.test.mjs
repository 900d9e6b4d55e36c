// What the page knows of the service by heart, against the service's code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPACITY } from '../../page/encoding.js';
import { PATIENCE, SHORTEST } from '../../page/follow.js';
import { REQUIRED } from '../../page/logto-list.js';
import { isFinal } from '../../page/outcomes.js';
import { ACCOUNT, FAULTS, ITS_OWN, OURS, UNREAD } from '../../page/views/health/judge.js';
import { CATALOGUES } from '../../page/words.js';
import { declaredWords, names, source } from './source.mjs';

/** What stands between two marks of a file. */
function between(path, from, to) {
  const [, rest] = source(path).split(from);
  assert.ok(rest?.includes(to), `${path}: ${from}`);
  return rest.slice(0, rest.indexOf(to));
}

const variants = (text) => [...text.matchAll(/(?:Self|UsageType)::(\w+)/g)].map(([, variant]) => variant);
const capitalised = (name) => name.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter) => letter.toUpperCase());

test('a message is final when the ledger says so', () => {
  const left = variants(between('src/sms/outcome.rs', 'MAY_HAVE_LEFT: [Self; 2] = [', ']'));
  const outcomes = declaredWords('src/sms/outcome.rs', 'Outcome');
  assert.deepEqual(
    outcomes.filter((outcome) => !isFinal({ outcome, delivery: null })).map(capitalised),
    left,
  );
  assert.ok(!isFinal({ outcome: null, delivery: null }));

  const passing = variants(between('src/sms/delivery_status.rs', 'fn is_final(self) -> bool {', '}'));
  const states = names('sms/delivery_status.rs', 'DeliveryStatus');
  assert.deepEqual(
    states.filter((status) => !isFinal({ outcome: 'accepted', delivery: { status } })).map(capitalised),
    passing,
  );
});

test('a segment holds as much as the service says', () => {
  const text = between('src/sms/segment.rs', 'fn capacity(self) -> (u32, u32) {', '\n    }');
  const capacity = (encoding) => text.match(new RegExp(`Self::${encoding} => \\((\\d+), (\\d+)\\)`)).slice(1).map(Number);
  assert.deepEqual(CAPACITY, { UTF8: capacity('Gsm7'), UCS2: capacity('Ucs2') });
});

test('a list of Logto’s needs the types that the service asks for', () => {
  assert.deepEqual(REQUIRED, variants(between('src/templates/file.rs', 'const REQUIRED: [UsageType; 4] =', ';')));
});

test('the code of a test delivery is the service’s', () => {
  const [, code] = source('src/sms/payload.rs').match(/TEST_CODE: &str = "(\d+)"/);
  assert.equal(source('page/views/try.js').match(/TEST_CODE = '(\d+)'/)[1], code);
  for (const { valuesHint } of Object.values(CATALOGUES.try)) assert.ok(valuesHint.includes(code), valuesHint);
});

test('a stream that ends early is told from one that has lasted', () => {
  const [, minutes] = source('src/routes/operator/events.rs').match(/LONGEST: Duration = Duration::from_secs\((\d+) \* 60\)/);
  assert.equal(PATIENCE, minutes * 60_000);
  assert.ok(SHORTEST < PATIENCE);
});

test('each outcome of a call is judged once', () => {
  const asides = declaredWords('src/send/record.rs', 'Aside');
  // What became of a message as it should, by Logto's call or by what the number is worth.
  const fine = ['accepted', 'rejected', 'test_number', 'number_unusable', 'limited'];
  assert.deepEqual([...FAULTS, ...fine].sort(), [...declaredWords('src/sms/outcome.rs', 'Outcome'), ...asides].sort());
  assert.deepEqual([...UNREAD].sort(), names('routes/send.rs', 'Refusal').sort());
  const lists = [...source('deploy/prometheus/alerts.yml').matchAll(/outcome=~"([^"]+)"/g)].map(([, list]) => list.split('|'));
  const failing = lists.filter((list) => list.includes('template_fault'));
  assert.ok(failing.length > 3, `${failing.length}`);
  for (const list of failing) {
    assert.deepEqual(list.filter((outcome) => !['accepted', 'rejected'].includes(outcome)).sort(), [...FAULTS].sort());
  }
});

test('each kind of error is laid to whom it concerns', () => {
  assert.deepEqual(ACCOUNT, declaredWords('src/gatewayapi/error.rs', 'AccountFault'));
  assert.deepEqual([...OURS, ...ITS_OWN].sort(), declaredWords('src/gatewayapi/error.rs', 'Rejection').sort());
});
