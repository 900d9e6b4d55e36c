// The view "Try it".

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, assertNoMarkup, MARKUP, openStage, picture } from './browser.mjs';

const stage = openStage({ environment: { SMS_LIMITS__TEST_NUMBERS: '+4526091099', SMS_LIMITS__COUNTRIES__DENY: 'KP' } });

const bubble = (page, hasText) => page.locator('.bubble').filter({ hasText }).waitFor();
const note = (page, text) => page.locator('.note').getByText(text).first().waitFor();
const step = (page, name, state) => page.locator(`.step.${state}`).filter({ hasText: name });

const times = (page) => page.locator('.step-time').allTextContents();

/** What a label such as `took 1.5 s` says. */
function seconds(label) {
  const [, value, unit] = label.match(/([\d.]+) (ms|s)\b/);
  return unit === 's' ? Number(value) : Number(value) / 1000;
}

async function open(options) {
  const page = await stage.open(options);
  await bubble(page, '000000');
  return page;
}

async function send(page, number) {
  await page.getByLabel('Phone number').fill(number);
  await page.getByRole('button', { name: 'Send' }).click();
}

test('a delivery is followed to its end', async () => {
  const page = await open();
  await page.locator('.phone-sender').filter({ hasText: 'Example' }).waitFor();
  await send(page, '+45 26 09 11 01');
  for (const name of ['Admitted', 'Accepted by GatewayAPI', 'On its way', 'Delivered']) await step(page, name, 'done').waitFor();
  await page
    .getByRole('status')
    .filter({ hasText: /^Delivered\. In all [\d.]+ s since it was admitted$/ })
    .waitFor({ state: 'attached' });
  assert.match(await step(page, 'Admitted', 'done').locator('.step-more').textContent(), /^\d\d:\d\d:\d\d$/);
  assert.match(await step(page, 'Accepted', 'done').textContent(), /DKK\s0\.12took \d+ ms$/);
  const took = await times(page);
  const total = seconds(await page.locator('.steps-total').textContent());
  assert.equal(took.length, 4);
  const sum = took.slice(1).map(seconds).reduce((one, other) => one + other);
  assert.ok(Math.abs(total - sum) < 0.2, `${took} are not ${total} s`);
  assert.ok(seconds(took[3]) < total, `${took}: the last step alone is not ${total} s`);
  await assertAccessible(page, 'a delivery');
  await page.setViewportSize({ width: 1120, height: 760 });
  await picture(page, 'try');

  await page.getByRole('link', { name: 'All about this message' }).click();
  await page.getByRole('heading', { level: 1, name: 'Message' }).waitFor();
  await page.getByText('+45******01').waitFor();
  assert.match(stage.sandbox.output(), /4526091101/);
});

/** A page whose clock stands, and whose message says what `tell` gives it. */
async function openFollowed({ answer = (id, message) => ({ json: { id, outcome: 'accepted', message } }), ...options } = {}) {
  const message = {
    id: '01a21315-eaac-72e6-8439-7016f9a473e9',
    status: 'accepted',
    outcome: 'accepted',
    admitted_at: '2026-11-25T12:00:00.100900Z',
    settled_at: '2026-11-25T12:00:00.400900Z',
    cost: 0.12,
    currency: 'DKK',
    delivery: null,
  };
  const page = await open({
    ...options,
    script: () => {
      const fetchReally = window.fetch;
      let opened;
      window.opened = new Promise((resolve) => (opened = resolve));
      window.fetch = (url, ...more) => {
        if (!String(url).endsWith('/events')) return fetchReally(url, ...more);
        if (window.isAway) return Promise.reject(new TypeError('Failed to fetch'));
        if (window.isForgotten) return Promise.resolve(new Response('{}', { status: 404 }));
        return Promise.resolve(
          new Response(
            new ReadableStream({
              start(stream) {
                window.events = stream;
                opened();
              },
            }),
          ),
        );
      };
    },
    prepare: async (page) => {
      await page.clock.install({ time: '2026-11-25T12:00:00Z' });
      await page.route('**/api/messages', (route) => route.fulfill(answer(message.id, message)));
    },
  });
  await page.clock.pauseAt('2026-11-25T12:01:00Z');
  await page.locator('#number').fill('+4526091112');
  await page.locator('form .button.primary').click();
  await page.evaluate(() => window.opened);
  const tell = (status, time, more = {}) =>
    page.evaluate(
      (message) => window.events.enqueue(new TextEncoder().encode(`event: state\ndata: ${JSON.stringify(message)}\n\n`)),
      status ? { ...message, ...more, status: status.toLowerCase(), delivery: { status, time: `2026-11-25T12:00:${time}Z` } } : { ...message, ...more },
    );
  const breakOff = async () => {
    await page.evaluate(() => {
      const stream = window.events;
      window.events = null;
      stream.error(new TypeError('network error'));
    });
    while (!(await page.evaluate(() => window.events !== null))) await page.clock.runFor(100);
  };
  return { page, tell, breakOff };
}

for (const [locale, labels, total] of [
  ['en-GB', ['', 'took 300 ms', 'took 1.5 s', 'took 2.4 s'], 'In all 4.2 s since it was admitted'],
  ['de-DE', ['', 'dauerte 300 ms', 'dauerte 1,5 s', 'dauerte 2,4 s'], 'Insgesamt 4,2 s seit der Zulassung'],
  ['es-ES', ['', 'tardó 300 ms', 'tardó 1,5 s', 'tardó 2,4 s'], 'En total 4,2 s desde que se admitió'],
  ['fr-FR', ['', 'a pris 300 ms', 'a pris 1,5 s', 'a pris 2,4 s'], 'En tout 4,2 s depuis l’admission'],
]) {
  test(`each state has the time that it took, and all have a total, in ${locale}`, async () => {
    const { page, tell } = await openFollowed({ locale, width: 360, height: 740 });
    await tell(null);
    await page.locator('.step.done').nth(1).waitFor();
    await page.clock.runFor(1500);
    await tell('ENROUTE', '02');
    await page.locator('.step.done').nth(2).waitFor();
    assert.equal(await page.locator('.steps-total').count(), 0);
    await page.clock.runFor(2400);
    await tell('DELIVERED', '04');
    await page.locator('.steps-total').waitFor();
    assert.deepEqual(await times(page), labels);
    assert.equal(await page.locator('.steps-total').textContent(), total);
    await page.getByRole('status').filter({ hasText: total }).waitFor({ state: 'attached' });
    await page.clock.resume();
    await assertAccessible(page, 'the times of a delivery');
    await assertFits(page, 'the times of a delivery');
    await picture(page, `try-times-360-${locale}`);
  });
}

test('a state that was skipped has no time, and the next one has that since what was seen', async () => {
  const { page, tell } = await openFollowed();
  await tell(null);
  await page.clock.runFor(3000);
  await tell('DELIVERED', '04');
  await page.locator('.steps-total').waitFor();
  assert.deepEqual(await times(page), ['', 'took 300 ms', '', 'took 3 s']);
  assert.equal(await page.locator('.steps-total').textContent(), 'In all 3.3 s since it was admitted');
});

test('a state that nobody saw come has GatewayAPI’s time, to the second', async () => {
  const { page, tell, breakOff } = await openFollowed();
  await tell(null);
  await breakOff();
  await tell('ENROUTE', '02');
  await page.locator('.step.done').nth(2).waitFor();
  await breakOff();
  await tell('DELIVERED', '05');
  await page.locator('.steps-total').waitFor();
  assert.deepEqual(await times(page), ['', 'took 300 ms', 'took about 2 s', 'took about 3 s']);
  assert.equal(await page.locator('.steps-total').textContent(), 'In all about 5 s since it was admitted');
});

test('a time that cannot be is not told', async () => {
  const { page, tell, breakOff } = await openFollowed();
  await tell(null);
  await breakOff();
  // Within the second in which it was accepted.
  await tell('DELIVERED', '00');
  await step(page, 'Delivered', 'done').waitFor();
  assert.deepEqual(await times(page), ['', 'took 300 ms', '', '']);
  assert.equal(await page.locator('.steps-total').count(), 0);
  await page.getByRole('status').filter({ hasText: /^Delivered$/ }).waitFor({ state: 'attached' });
});

test('a network that takes the message and tells no more is not said to have failed', async () => {
  const { page, tell } = await openFollowed();
  await tell(null);
  await tell('ACCEPTED', '02');
  await note(page, 'The network has taken the message and tells no more of it.');
  assert.equal(await page.locator('.step').count(), 3);
  assert.equal(await page.locator('.step.failed, .note.bad').count(), 0);
  assert.equal(await page.getByText('No final delivery report has come.').count(), 0);
});

test('it can be used with the keyboard alone', async () => {
  const page = await open();
  const at = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const tabTo = async (wanted) => {
    for (let tabs = 0; tabs < 20; tabs += 1) {
      if ((await at()) === wanted) return;
      await page.keyboard.press('Tab');
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, 'none', `${await at()} shows no focus`);
    }
    assert.fail(`${wanted} is not reached; the focus is at ${await at()}`);
  };
  await page.keyboard.press('Tab');
  assert.equal(await at(), 'Skip to content');
  await page.keyboard.press('Enter');
  assert.equal(await at(), 'heading');
  await tabTo('number');
  await page.keyboard.type('+4526091102');
  await tabTo('usage-type');
  await page.keyboard.type('Reg');
  await tabTo('locale');
  await page.keyboard.type('German');
  await bubble(page, '000000 ist Ihr Code zum Erstellen');
  await tabTo('Values in the text');
  await page.keyboard.press('Enter');
  await tabTo('values');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{"code": "271828"}');
  await bubble(page, '271828');
  await tabTo('Send');
  await page.keyboard.press('Enter');
  await step(page, 'Delivered', 'done').waitFor();
  await tabTo('All about this message');
  assert.match(stage.sandbox.output(), /271828/);
});

test('a refusal by a limit says so, and what to do', async () => {
  const page = await open();
  await send(page, '+4526091103');
  await step(page, 'Delivered', 'done').waitFor();
  await send(page, '+4526091103');
  await note(page, 'This number has just been sent a code.');
  await note(page, 'Wait a moment, use another number, or change limits.number.cooldown.');
  await note(page, 'A code has just been sent to this number. Please wait');
  await note(page, 'number (cooldown)');
  await note(page, /^in \d+ s$/);
  await assertAccessible(page, 'a refusal by a limit');

  await send(page, '+850 192 123 4567');
  await note(page, 'Messages to this country are not allowed.');
  assert.equal(await page.getByText('Would pass').count(), 0);
  await send(page, '+45123');
  await note(page, 'No phone can have this number.');
  await send(page, 'nobody');
  await note(page, 'This is no phone number.');
  await send(page, '+4526091099');
  await note(page, 'This is a test number');
});

for (const [number, what, todo, code] of [
  ['+4526020533', 'GatewayAPI has blacklisted this number.', 'Ask GatewayAPI’s support, with the incident number.', '0x0215'],
  ['+4526020534', 'The GatewayAPI account has no credit left.', 'Top it up at GatewayAPI', '0x0216'],
  ['+4526020553', 'GatewayAPI does not accept the API token.', 'Check gatewayapi.api_token', '0x0229'],
  ['+4526020535', 'Your GatewayAPI account may not send to this country or network.', 'Open the country', '0x0217'],
  ['+4526020786', 'GatewayAPI has refused the text.', 'Look for a link', '0x0312'],
]) {
  test(`GatewayAPI's refusal of ${number} says so, and what to do`, async () => {
    const page = await open({ dark: true });
    await send(page, number);
    for (const text of [what, todo, code]) await note(page, text);
    await page.getByRole('status').filter({ hasText: what }).waitFor({ state: 'attached' });
    await assertAccessible(page, number);
    assert.equal(await page.getByText('Would pass').count(), 0);
    // The incident stands in the note itself.
    await note(page, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(await page.getByText('The log has it').count(), 0);
    if (number === '+4526020534') await picture(page, 'try-refused-dark');
    await page.getByRole('link', { name: 'All about this message' }).click();
    await page.getByText(`+45******${number.slice(-2)}`).waitFor();
  });
}

test('advice names an error code where there is one, and an incident where there is one', async () => {
  const page = await open();
  await send(page, '+4526030404');
  await note(page, /^Check gatewayapi\.endpoint and gatewayapi\.sender\.$/);
  await send(page, '+4526020784');
  await note(page, 'Check gatewayapi.endpoint and gatewayapi.sender, and look at the error code.');
  await note(page, '0x0310');
  const problem = { type: 'urn:x:problem:recipient_refused', status: 422, error_kind: 'recipient' };
  await page.route('**/api/messages', (route) => route.fulfill({ status: 422, json: problem }));
  await send(page, '+4526091123');
  await note(page, /^Ask GatewayAPI’s support\.$/);
  await page.route('**/api/messages', (route) => route.fulfill({ status: 403, body: 'Forbidden' }));
  await send(page, '+4526091124');
  await note(page, /^The log may say more\.$/);
});

test('nobody knows whether a message was sent, until its report tells', async () => {
  const page = await open();
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route('**/events', async (route) => {
    await released;
    await route.continue();
  });
  await send(page, '+4526040003');
  const what = 'The connection to GatewayAPI broke, so nobody knows whether the message was sent.';
  for (const text of [what, 'Wait a minute', 'This page goes on watching', 'HTTP 504']) await note(page, text);
  await page.getByRole('status').filter({ hasText: what }).waitFor({ state: 'attached' });
  await assertAccessible(page, 'a doubt');
  release();
  for (const name of ['Admitted', 'Accepted by GatewayAPI', 'On its way', 'Delivered']) await step(page, name, 'done').waitFor();
  assert.equal(await page.locator('.delivery .note').count(), 0);
  // When it was accepted nobody knows.
  assert.equal((await times(page))[1], '');
  await page.locator('.steps-total').waitFor();
  await page.getByRole('status').filter({ hasText: /^Delivered\. In all/ }).waitFor({ state: 'attached' });
  await assertAccessible(page, 'a doubt that is over');
});

test('an outcome that stays unknown stays told as such', async () => {
  const { page, tell } = await openFollowed({
    answer: (id) => ({ status: 504, json: { type: 'urn:x:problem:outcome_unknown', status: 504, error_kind: 'timed_out', message_id: id } }),
  });
  await tell(null, null, { status: 'unknown', outcome: 'unknown' });
  await note(page, 'This page goes on watching');
  await page.clock.runFor(5 * 60_000);
  await page.evaluate(() => window.events.close());
  await note(page, 'No final delivery report has come.');
  await note(page, 'GatewayAPI did not answer in time, so nobody knows');
  assert.equal(await page.getByText('This page goes on watching').count(), 0);
});

test('a doubt that is watched no longer is not said to be', async () => {
  const { page, tell, breakOff } = await openFollowed({
    answer: (id) => ({ status: 504, json: { type: 'urn:x:problem:outcome_unknown', status: 504, error_kind: 'timed_out', message_id: id } }),
  });
  await tell(null, null, { status: 'unknown', outcome: 'unknown' });
  await note(page, 'This page goes on watching');
  await page.evaluate(() => {
    window.isAway = true;
    window.events.error(new TypeError('network error'));
  });
  await note(page, 'The service does not answer.');
  await note(page, 'This page goes on watching');
  for (let minutes = 0; minutes < 6; minutes += 1) await page.clock.runFor(60_000);
  await page.locator('.awaited').waitFor({ state: 'detached' });
  await note(page, 'GatewayAPI did not answer in time, so nobody knows');
  await note(page, 'The service does not answer.');
});

test('a report that ends a doubt is timed from the answer that came just before', async () => {
  const { page, tell } = await openFollowed({
    answer: (id) => ({ status: 504, json: { type: 'urn:x:problem:outcome_unknown', status: 504, error_kind: 'timed_out', message_id: id } }),
  });
  await tell(null, null, { status: 'open', outcome: null, settled_at: null });
  await page.clock.runFor(20_000);
  await tell(null, null, { settled_at: '2026-11-25T12:00:20.400900Z' });
  await step(page, 'Accepted', 'done').waitFor();
  await page.clock.runFor(1500);
  await tell('ENROUTE', '21', { settled_at: '2026-11-25T12:00:20.400900Z' });
  await step(page, 'On its way', 'done').waitFor();
  await page.clock.runFor(2000);
  await tell('DELIVERED', '23', { settled_at: '2026-11-25T12:00:20.400900Z' });
  await page.locator('.steps-total').waitFor();
  // When it was accepted nobody knows, but not when it was delivered.
  assert.deepEqual((await times(page))[3], 'took 2 s');
  assert.equal(await page.locator('.steps-total').textContent(), 'In all 23.8 s since it was admitted');
});

test('a refusal that comes after the doubt takes its place', async () => {
  const page = await open();
  const id = '01a21315-eaac-72e6-8439-7016f9a473e9';
  const late = { id, outcome: 'account_fault', status: 'account_fault', error_kind: 'credit', settled_at: '2026-11-25T12:00:00Z', delivery: null };
  await page.route('**/api/messages', (route) =>
    route.fulfill({ status: 504, json: { type: 'urn:x:problem:outcome_unknown', status: 504, error_kind: 'timed_out', message_id: id } }),
  );
  await page.route('**/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `event: state\ndata: ${JSON.stringify(late)}\n\n` }),
  );
  await send(page, '+4526091121');
  await page.locator('.note.bad').getByText('The GatewayAPI account has no credit left.').waitFor();
  await page.getByRole('status').filter({ hasText: 'no credit left' }).waitFor({ state: 'attached' });
  assert.equal(await page.getByText('GatewayAPI did not answer in time').count(), 0);
});

test('until GatewayAPI answers it is seen that the message was admitted, and for how long', async () => {
  const page = await open();
  let answer;
  const answered = new Promise((resolve) => (answer = resolve));
  await page.route('**/api/messages', async (route) => {
    const response = await route.fetch({ timeout: 60_000 });
    await answered;
    await route.fulfill({ response });
  });
  // Never answers.
  await send(page, '+4526040001');
  await step(page, 'Admitted', 'done').filter({ hasText: /\d\d:\d\d:\d\d/ }).waitFor();
  const link = page.getByRole('link', { name: 'All about this message' });
  await link.focus();
  await step(page, 'Accepted', 'waiting').filter({ hasText: /([3-9]|\d\d) s so far/ }).waitFor();
  // Each second is shown anew, and takes nobody's focus.
  assert.ok(await link.evaluate((link) => link === document.activeElement));
  answer();
  await note(page, 'GatewayAPI did not answer in time, so nobody knows');
  // Nor does the answer.
  assert.ok(await link.evaluate((link) => link === document.activeElement));
});

/** A page whose call waits for `answer`, and whose ledger has `messages` to its number, the newest first. */
async function sendUnanswered(messages) {
  const page = await open({ expected: /net::ERR_/ });
  let answer;
  const answered = new Promise((resolve) => (answer = resolve));
  await page.route('**/api/messages', async (route) => (await answered)(route));
  await page.route('**/api/messages?**', (route) => {
    const limit = Number(new URL(route.request().url()).searchParams.get('limit'));
    return route.fulfill({ json: { messages: messages.slice(0, limit), next: null } });
  });
  await page.route('**/events', (route) => route.fulfill({ status: 404, json: { status: 404 } }));
  await send(page, '+4526091130');
  return { page, answer };
}

const unsettled = (id, more = {}) => ({
  id,
  status: 'open',
  outcome: null,
  admitted_at: '2026-11-25T12:00:00.100900Z',
  settled_at: null,
  delivery: null,
  ...more,
});

test('of two messages to a number that wait for their answers none is claimed', async () => {
  const { page, answer } = await sendUnanswered([unsettled('one'), unsettled('other')]);
  await step(page, 'Admitted', 'waiting').filter({ hasText: /([2-9]|\d\d) s so far/ }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'All about this message' }).count(), 0);
  answer((route) => route.abort());
  await note(page, 'The service did not answer, so nobody knows');
  assert.equal(await page.getByText('This page goes on watching').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'All about this message' }).count(), 0);
});

test('a call that was never in the ledger is not said to have gone from it', async () => {
  const { page, answer } = await sendUnanswered([unsettled('another')]);
  const link = page.getByRole('link', { name: 'All about this message' });
  await link.waitFor();
  const problem = { type: 'urn:x:problem:outcome_unknown', status: 504, error_kind: 'timed_out', message_id: 'never' };
  answer((route) => route.fulfill({ status: 504, json: problem }));
  await note(page, 'GatewayAPI did not answer in time, so nobody knows');
  await link.waitFor({ state: 'detached' });
  assert.equal(await page.getByText('This page goes on watching').count(), 0);
  assert.equal(await page.getByText('There is no such message any more.').count(), 0);
});

test('whoever is at what a refusal takes away is at the delivery still', async () => {
  const { page, answer } = await sendUnanswered([unsettled('own')]);
  await page.getByRole('link', { name: 'All about this message' }).focus();
  const problem = { type: 'urn:x:problem:limited', limit: 'number', rule: 'cooldown', status: 429 };
  answer((route) => route.fulfill({ status: 429, json: problem }));
  await note(page, 'This number has just been sent a code.');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'delivery-heading');
});

test('a message that turns out to be another one leaves nothing behind', async () => {
  const report = { status: 'ENROUTE', time: '2026-11-25T12:00:02Z' };
  const { page, answer } = await sendUnanswered([unsettled('another', { status: 'enroute', delivery: report })]);
  await step(page, 'On its way', 'done').waitFor();
  const message = unsettled('own', { status: 'accepted', outcome: 'accepted', settled_at: '2026-11-25T12:00:05.100900Z' });
  answer((route) => route.fulfill({ json: { id: 'own', outcome: 'accepted', message } }));
  await step(page, 'Accepted', 'done').waitFor();
  assert.equal(await step(page, 'On its way', 'done').count(), 0);
});

test('a report that comes before the answer is told with its own time, and never without its step', async () => {
  const early = {
    settled_at: '2026-11-25T12:00:03.100900Z',
    status: 'delivered',
    delivery: { status: 'DELIVERED', time: '2026-11-25T12:00:01Z' },
  };
  const { page, tell } = await openFollowed({
    answer: (id, message) => ({ json: { id, outcome: 'accepted', message: { ...message, ...early } } }),
  });
  const shown = async () => {
    await step(page, 'Delivered', 'done').waitFor();
    // When GatewayAPI accepted it nobody knows: its answer came after the report.
    assert.deepEqual(await times(page), ['', '', '', 'took about 1 s']);
    assert.equal(await page.locator('.steps-total').textContent(), 'In all about 1 s since it was admitted');
    await page.getByRole('status').filter({ hasText: 'Delivered. In all about 1 s' }).waitFor({ state: 'attached' });
  };
  // Before the stream has said anything, and after.
  await shown();
  await tell(null, null, { ...early, cost: 0.24 });
  await page.locator('.step-more').filter({ hasText: '0.24' }).waitFor();
  await page.evaluate(() => window.events.close());
  await shown();
});

test('a message that can’t be delivered says why', async () => {
  const page = await open();
  await send(page, '+4526050002');
  await step(page, 'Not delivered', 'failed').waitFor();
  await note(page, 'The number is not in use, or its network does not know it.');
  await note(page, '0x1001');
  await page.getByRole('status').filter({ hasText: 'The number is not in use' }).waitFor({ state: 'attached' });
  await assertAccessible(page, 'an undeliverable message');
});

test('a report that does not come is told as such', async () => {
  const { page, tell } = await openFollowed();
  await tell(null);
  await page.clock.runFor(5 * 60_000);
  await page.evaluate(() => window.events.close());
  await note(page, 'No final delivery report has come.');
  await page.clock.resume();
  await assertAccessible(page, 'a delivery without a report');
});

/** Ends the stream, as a service does that stops. */
async function stop(page) {
  await page.evaluate(() => {
    const stream = window.events;
    window.events = null;
    stream.close();
  });
  await note(page, 'The service does not answer.');
}

test('a service that stops is told as such, and the delivery is followed when it is back', async () => {
  const { page, tell } = await openFollowed();
  await tell(null);
  await stop(page);
  assert.equal(await page.getByText('No final delivery report has come.').count(), 0);
  while (!(await page.evaluate(() => window.events !== null))) await page.clock.runFor(100);
  await tell('DELIVERED', '02');
  await step(page, 'Delivered', 'done').waitFor();
  assert.equal(await page.getByText('The service does not answer.').count(), 0);
});

test('a service that stays away is not taken for a report that does not come', async () => {
  const { page, tell } = await openFollowed();
  await tell(null);
  await page.evaluate(() => {
    window.isAway = true;
    window.events.error(new TypeError('network error'));
  });
  await note(page, 'The service does not answer.');
  for (let minutes = 0; minutes < 6; minutes += 1) await page.clock.runFor(60_000);
  await note(page, 'The service does not answer.');
  assert.equal(await page.getByText('No final delivery report has come.').count(), 0);
});

test('a message that a service has forgotten when it is back is told as such', async () => {
  const { page, tell } = await openFollowed();
  await tell(null);
  await stop(page);
  await page.evaluate(() => (window.isForgotten = true));
  await page.getByRole('link', { name: 'All about this message' }).focus();
  while ((await page.getByText('There is no such message any more.').count()) === 0) await page.clock.runFor(100);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'delivery-heading');
  assert.equal(await page.getByText('The service does not answer.').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'All about this message' }).count(), 0);
  await page.clock.resume();
  await assertAccessible(page, 'a delivery that was forgotten');
});

test('a message that GatewayAPI could not be given leads to its history', async () => {
  const page = await open();
  await send(page, '+4526020261');
  await note(page, 'HTTP 503');
  await page.getByRole('link', { name: 'All about this message' }).click();
  await page.getByText('+45******61').waitFor();
});

test('what was filled in is still there on the way back from a message', async () => {
  const page = await open();
  await page.getByLabel('Usage type').selectOption('Register');
  await page.getByLabel('Language').selectOption('de');
  await send(page, '+4526091113');
  await page.getByRole('link', { name: 'All about this message' }).click();
  await page.getByText('+45******13').waitFor();
  await page.goBack();
  await bubble(page, '000000 ist Ihr Code zum Erstellen');
  assert.equal(await page.getByLabel('Phone number').inputValue(), '+4526091113');
  assert.ok(!page.url().includes('4526091113'));
});

test('a stream that breaks is opened again', async () => {
  let calls = 0;
  const page = await open({ expected: /net::ERR_/, prepare: (page) => page.clock.install() });
  await page.route('**/api/messages/*/events', (route) => {
    calls += 1;
    return calls === 1 ? route.abort() : route.continue();
  });
  const broken = page.waitForEvent('requestfailed');
  await send(page, '+4526091111');
  await broken;
  await page.clock.runFor(3000);
  await step(page, 'Delivered', 'done').waitFor();
  assert.equal(calls, 2);
});

test('the preview is of the chosen type and language, and marks what costs', async () => {
  const page = await open({ width: 360, height: 740 });
  assert.equal(await page.getByLabel('Usage type').locator('option').count(), 9);
  await page.locator('.facts').filter({ hasText: /Segments1EncodingGSM 03\.38/ }).waitFor();
  assert.equal(await page.locator('.bubble mark').count(), 0);

  await page.getByText('Values in the text').click();
  const values = page.getByLabel('Payload (JSON)');
  await values.fill('{"code": "12€ [x]"}');
  await bubble(page, '12€ [x]');
  await page.getByText('These characters take the room of two each:').waitFor();
  assert.deepEqual(await page.locator('.bubble mark').allTextContents(), ['€', '[', ']']);

  await values.fill('{"code": "1 ó 2 ó € ç"}');
  await page.getByText('These characters are not in GSM 03.38. They force UCS-2').waitFor();
  assert.deepEqual(await page.locator('.bubble mark').allTextContents(), ['ó', 'ó', 'ç']);
  assert.deepEqual(await page.locator('.characters li').allTextContents(), ['ó × 2', 'ç']);
  await page.locator('.segment-start').filter({ hasText: 'Segment 2' }).waitFor();
  await page.getByText('this text costs 2 times as much').waitFor();
  await assertAccessible(page, 'a dear preview');
  await assertFits(page, 'a dear preview');
  await picture(page, 'try-360-costly');

  await values.fill('{"code": "000000"}');
  await page.getByLabel('Language').selectOption('ar');
  await page.getByText('This script is not in GSM 03.38').waitFor();
  assert.equal(await page.locator('.bubble mark').count(), 0);
  assert.equal(await page.locator('.bubble').getAttribute('lang'), 'ar');
  await assertAccessible(page, 'a preview in Arabic');
  await assertFits(page, 'a preview in Arabic');
});

test('what costs and can’t be seen is named', async () => {
  const page = await open({ width: 360, height: 740 });
  await page.getByText('Values in the text').click();
  const values = page.getByLabel('Payload (JSON)');
  const marks = () => page.locator('.bubble mark').allTextContents();
  const blamed = () => page.locator('.characters li').allTextContents();
  await values.fill(JSON.stringify({ code: '12\u00a0\u00a03 \u200b4\u202e ó\t5' }));
  await bubble(page, '12U+00A0');
  await page.getByText('These characters are not in GSM 03.38.').waitFor();
  assert.deepEqual(await marks(), ['U+00A0', 'U+00A0', 'U+200B', 'U+202E', 'ó', 'U+0009']);
  assert.deepEqual(await blamed(), ['U+00A0 × 2', 'U+200B', 'U+202E', 'ó', 'U+0009']);
  await assertAccessible(page, 'a preview of what can’t be seen');
  await assertFits(page, 'a preview of what can’t be seen');
  await picture(page, 'try-360-unseen');

  // What is part of a picture or stands on a letter is seen with it.
  await values.fill(JSON.stringify({ code: 'e\u0301 \u{1f469}\u200d\u{1f52c}' }));
  await bubble(page, '\u{1f469}\u200d\u{1f52c}');
  assert.deepEqual(await marks(), ['\u0301', '\u{1f469}\u200d\u{1f52c}']);
  assert.deepEqual(await blamed(), ['\u0301 U+0301', '\u{1f469}', 'U+200D', '\u{1f52c}']);
});

test('a text of more segments than allowed is said to be before it is sent, and when it is refused', async () => {
  const page = await open({ width: 360, height: 740 });
  await page.getByText('Values in the text').click();
  await page.getByLabel('Payload (JSON)').fill(JSON.stringify({ code: '0'.repeat(500) }));
  const warning = page.locator('.costs .note').filter({ hasText: 'would be refused' });
  await warning.getByText('This text takes 4 segments, and delivery.max_segments allows 3').waitFor();
  await send(page, '+4526091120');
  await note(page, 'The text takes 4 segments, and delivery.max_segments allows 3.');
  await note(page, 'Shorten the template or the values, or raise delivery.max_segments.');
  await note(page, 'HTTP 500');
  assert.equal(await page.getByText('could not be made').count(), 0);
  await assertAccessible(page, 'a text of too many segments');
  await assertFits(page, 'a text of too many segments');
  await picture(page, 'try-360-segments');
  await page.getByLabel('Payload (JSON)').fill('{ "code": "000000" }');
  await warning.waitFor({ state: 'detached' });
});

test('a template that can’t be rendered has that as its reason alone', async () => {
  const page = await open();
  const problem = { type: 'urn:gatewayapi-sms-connector:problem:service_fault', status: 500, detail: 'template SignIn, locale en: no' };
  await page.route('**/api/messages', (route) => route.fulfill({ status: 500, json: problem }));
  await send(page, '+4526091121');
  await note(page, /^The text could not be made\.$/);
  await note(page, 'Correct the template or the values: template SignIn, locale en: no.');
});

test('a value that is not given is said to be sent as it stands, and a code is made up as the service does', async () => {
  const page = await open({ locale: 'de-DE' });
  const warning = page.locator('.costs .note');
  await page.getByText('Werte im Text').click();
  const values = page.getByLabel('Payload (JSON)');
  await values.fill('{"link": "example.com"}');
  await bubble(page, '{{code}} is your sign-in code');
  await warning.getByText('{{code}} hat in der Payload keinen Wert und würde so verschickt, wie es dasteht.').waitFor();
  await assertAccessible(page, 'a value that is not given');
  await picture(page, 'try-unfilled-de');
  await values.fill('{"locale": "de"}');
  await bubble(page, 'Example: 000000 ist Ihr Code für die Anmeldung.');
  assert.equal(await warning.count(), 0);
  await page.getByText('Ohne code und link ist der Code 000000.').waitFor();
  await page.locator('#number').fill('+4526091122');
  const [response] = await Promise.all([page.waitForResponse('**/api/messages'), page.locator('form .button.primary').click()]);
  assert.equal(response.status(), 200);
  assert.match(stage.sandbox.output(), /4526091122.*\n?.*000000 ist Ihr Code/);
});

test('what is missing or wrong is said at its field, and nothing is sent', async () => {
  const page = await open();
  const calls = [];
  page.on('request', (request) => request.url().endsWith('/api/messages') && calls.push(request.url()));
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Enter a phone number.').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'number');
  assert.equal(await page.getByLabel('Phone number').getAttribute('aria-invalid'), 'true');
  await page.getByText('Values in the text').click();
  for (const wrong of ['{', '[]', 'null', '"x"', '']) {
    await page.getByLabel('Payload (JSON)').fill(wrong);
    await page.getByText('This must be a JSON object').waitFor();
  }
  await send(page, '+4526091104');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'values');
  await assertAccessible(page, 'wrong fields');
  assert.deepEqual(calls, []);
});

test('a delivery says of which number and time it is, whatever is tried after it', async () => {
  const page = await open({ width: 360, height: 740 });
  await send(page, '+45 26 09 11 30');
  await step(page, 'Delivered', 'done').waitFor();
  const whose = page.locator('.delivery .hint').first();
  const said = await whose.textContent();
  assert.match(said, /^To \+45 26 09 11 30, \d\d:\d\d:\d\d$/);
  await send(page, '');
  await page.getByText('Enter a phone number.').waitFor();
  assert.equal(await whose.textContent(), said);
  await page.getByText('Values in the text').click();
  await page.getByLabel('Payload (JSON)').fill('{');
  await send(page, '+4526091131');
  await page.getByText('This must be a JSON object').waitFor();
  assert.equal(await whose.textContent(), said);
  await assertFits(page, 'an earlier delivery');
  await picture(page, 'try-360-earlier');
  await page.getByLabel('Payload (JSON)').fill('{}');
  await send(page, '+4526091131');
  await whose.getByText('To +4526091131').waitFor();
  await step(page, 'Delivered', 'done').waitFor();
});

test('a preview that gets no answer is not taken for a message that may have been sent', async () => {
  const page = await open({ expected: /ERR_FAILED/ });
  await page.route('**/api/preview', (route) => route.abort());
  await page.getByLabel('Usage type').selectOption('Register');
  await page.locator('.costs').getByText('The service does not answer. Is it running').waitFor();
  assert.equal(await page.getByText('whether the message was sent').count(), 0);
  await assertAccessible(page, 'a preview without an answer');
});

test('an answer that comes late does not replace a newer one', async () => {
  const page = await open();
  let release;
  const released = new Promise((resolve) => (release = resolve));
  let isFirst = true;
  await page.route('**/api/preview', async (route) => {
    if (isFirst) {
      isFirst = false;
      await released;
    }
    await route.continue().catch(() => {});
  });
  await page.getByLabel('Usage type').selectOption('Register');
  await page.getByLabel('Usage type').selectOption('ForgotPassword');
  await bubble(page, 'reset your password');
  release();
  await page.getByLabel('Usage type').selectOption('MfaVerification');
  await bubble(page, 'second step');
});

test('two clicks send once', async () => {
  const page = await open();
  let calls = 0;
  page.on('request', (request) => (calls += request.url().endsWith('/api/messages') ? 1 : 0));
  await page.getByLabel('Phone number').fill('+4526091105');
  await page.getByRole('button', { name: 'Send' }).dblclick();
  await step(page, 'Delivered', 'done').waitFor();
  assert.equal(calls, 1);
});

test('markup in what comes from outside stays text', async () => {
  const page = await open();
  await page.getByText('Values in the text').click();
  await page.getByLabel('Payload (JSON)').fill(JSON.stringify({ code: MARKUP, [MARKUP]: MARKUP }));
  await bubble(page, MARKUP);
  await assertNoMarkup(page);

  const preview = { text: MARKUP, encoding: 'UCS2', segments: 2, units: 90, locale: MARKUP, sender: MARKUP, segment_starts: [3] };
  const costly = [{ character: MARKUP, count: 1, why: 'outside_gsm' }, { character: 's', count: 2, why: 'two_septets' }];
  await page.route('**/api/preview', (route) => route.fulfill({ json: { ...preview, costly } }));
  await page.getByLabel('Usage type').selectOption('Register');
  await page.locator('.phone-sender').filter({ hasText: MARKUP }).waitFor();
  await assertNoMarkup(page);

  const problem = Object.fromEntries(
    ['type', 'title', 'detail', 'person_reads', 'limit', 'rule', 'error_kind', 'error_code', 'incident_uuid', 'message_id'].map((name) => [name, MARKUP]),
  );
  await page.route('**/api/messages', (route) => route.fulfill({ status: 422, json: { ...problem, status: 422 } }));
  await send(page, '+4526091106');
  await page.locator('q').filter({ hasText: MARKUP }).waitFor();
  await assertNoMarkup(page);

  const message = { id: MARKUP, status: MARKUP, outcome: 'accepted', cost: 1, currency: MARKUP, admitted_at: MARKUP, settled_at: MARKUP };
  const delivery = { status: MARKUP, error_group: MARKUP, error_code: MARKUP, time: MARKUP };
  await page.route('**/api/messages/*/events', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `event: state\ndata: ${JSON.stringify({ ...message, delivery })}\n\n`,
    }),
  );
  await page.route('**/api/messages', (route) =>
    route.fulfill({ json: { id: MARKUP, outcome: 'accepted', message: { ...message, delivery: null } } }),
  );
  await send(page, '+4526091107');
  await step(page, 'Not delivered', 'failed').waitFor();
  await page.getByText(MARKUP).first().waitFor();
  await assertNoMarkup(page);
});

test('markup in the loaded templates’ names stays text', async () => {
  const templates = [{ locale: MARKUP, syntax: 'logto', content: MARKUP, variant: MARKUP, samples: [] }];
  const loaded = { default_locale: MARKUP, usage_types: [{ type: MARKUP, falls_back_to: null, templates }], warnings: [MARKUP] };
  const page = await stage.open({
    prepare: (page) => page.route('**/api/templates', (route) => route.fulfill({ json: loaded })),
  });
  await page.getByLabel('Usage type').locator('option').filter({ hasText: MARKUP }).waitFor({ state: 'attached' });
  await page.locator('.costs .note').waitFor();
  await assertNoMarkup(page);
});

for (const dark of [false, true]) {
  test(`it is accessible and fits a phone, ${dark ? 'dark' : 'light'}`, async () => {
    const page = await open({ dark, width: 360, height: 740 });
    await page.getByText('Values in the text').click();
    await assertAccessible(page, 'the form');
    await assertFits(page, 'the form');
    await send(page, dark ? '+4526091108' : '+4526091109');
    await step(page, 'Delivered', 'done').waitFor();
    await assertAccessible(page, 'a delivery');
    await assertFits(page, 'a delivery');
    await picture(page, `try-360-${dark ? 'dark' : 'light'}`);
  });
}
