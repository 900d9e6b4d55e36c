// The views "Messages" and a message's history.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, assertNoMarkup, MARKUP, openStage, picture } from './browser.mjs';

const stage = openStage({ environment: { SMS_LIMITS__NUMBER__MODE: 'off' } });

const rows = (page, hasText) => page.locator('.messages tbody tr').filter({ hasText });
const filter = (page, name) => page.locator(`#filter-${name}`);
const status = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor({ state: 'attached' });

/** Sends a message past the page, and gives its id. */
async function send(to, more = {}) {
  const { status, body } = await stage.sandbox.api('/api/messages', { to, type: 'SignIn', ...more });
  assert.ok(status, body);
  return body.id ?? body.message_id;
}

test('with no message yet it leads to a test delivery', async () => {
  const page = await stage.open({ hash: '#/messages' });
  await page.getByText('No message has been sent yet.').waitFor();
  await assertAccessible(page, 'no messages');
  await page.getByRole('link', { name: 'Try a delivery' }).click();
  await page.getByRole('heading', { level: 1, name: 'Try it' }).waitFor();
});

test('a message appears as it is sent, and goes through its states', async () => {
  const page = await stage.open({ hash: '#/messages' });
  await page.getByText('Live', { exact: true }).waitFor();
  await send('4526092001');
  await rows(page, '+45******01').filter({ hasText: 'delivered' }).waitFor();
  const cells = await rows(page, '+45******01').locator('td').allTextContents();
  assert.match(cells.join('|'), /^[\d:]{8}\|\+45\*{6}01DK\|SignIn\|delivered\|about \d s\|1\|DKK\s0\.12$/);
});

test('the filters narrow the list', async () => {
  await Promise.all([
    send('4526092008', { type: 'Register' }),
    send('46701234567'),
    send('4526020533', { type: 'ForgotPassword' }),
    send('4526050002', { type: 'BindMfa' }),
  ]);
  const page = await stage.open({ hash: '#/messages' });
  await rows(page, 'undeliverable').waitFor();
  for (const type of ['Register', 'SignIn']) await rows(page, type).filter({ hasText: 'delivered' }).first().waitFor();
  await rows(page, '+46').filter({ hasText: 'delivered' }).waitFor();
  await page.setViewportSize({ width: 1120, height: 620 });
  await picture(page, 'messages', { fullPage: false });
  const all = await rows(page).count();
  assert.ok(all >= 4);

  const only = async (name, count) => {
    await status(page, `${count} message`);
    assert.equal(await rows(page).count(), count, name);
    await page.getByRole('button', { name: 'Clear' }).click();
    await status(page, `${all} messages`);
  };
  await filter(page, 'number').fill('+45 26 09 20 08');
  await rows(page, '+45******08').waitFor();
  await only('number', 1);
  await filter(page, 'status').selectOption('undeliverable');
  await only('status', 1);
  await filter(page, 'type').selectOption('ForgotPassword');
  await only('type', 1);
  await filter(page, 'country').fill('se');
  await only('country', 1);
  await filter(page, 'span').selectOption('hour');
  await status(page, `${all} messages`);
  await filter(page, 'number').fill('+4526092999');
  await page.getByText('No message matches.').waitFor();
  await page.getByText('Calls that a limit refused, or that had no usable number, are never listed').waitFor();
  assert.equal(await page.locator('.none a[href="#/health"]').count(), 1);
  assert.ok(!page.url().includes('4526092999'));

  await filter(page, 'number').fill('12');
  await page.locator('.field-said').getByText('This is no possible phone number.').waitFor();
  await status(page, 'This is no possible phone number.');
  assert.equal(await filter(page, 'number').getAttribute('aria-invalid'), 'true');
  // What was found before is no answer to it.
  await page.getByText('Not updated').waitFor();
  for (const hidden of ['table', '.none']) assert.ok(await page.locator(hidden).isHidden(), hidden);
  await assertAccessible(page, 'a wrong filter');
  await page.getByRole('button', { name: 'Clear' }).click();
  await filter(page, 'country').fill('D');
  await page.locator('.field-said').getByText('Two letters, such as DK.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await status(page, `${all} messages`);
  await page.getByText('Live', { exact: true }).waitFor();
  assert.ok(await page.locator('table').isVisible());
  assert.equal(await page.getByText('Two letters, such as DK.').count(), 0);

  // What is looked for is still there on the way back from a message.
  await filter(page, 'type').selectOption('BindMfa');
  await status(page, '1 message');
  await rows(page).getByRole('link').click();
  await page.getByRole('link', { name: 'Back to messages' }).click();
  await rows(page, 'undeliverable').waitFor();
  assert.equal(await filter(page, 'type').inputValue(), 'BindMfa');
  assert.equal(await rows(page).count(), 1);
});

test('two filters that are typed in one go both count, and Enter asks at once', async () => {
  const page = await stage.open({ hash: '#/messages' });
  await page.getByText('Live', { exact: true }).waitFor();
  // No time passes between the keys.
  await page.clock.install();
  const asked = (run) => Promise.all([page.waitForRequest(/api\/messages\?.*country=DK/), run()]);
  await filter(page, 'number').fill('+4526092008');
  await filter(page, 'country').fill('dk');
  const [typed] = await asked(() => page.clock.runFor(300));
  assert.match(typed.url(), /number=%2B4526092008/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.clock.pauseAt(Date.now() + 60_000);
  await filter(page, 'number').fill('+4526092008');
  await filter(page, 'country').fill('dk');
  const [entered] = await asked(() => filter(page, 'country').press('Enter'));
  assert.match(entered.url(), /number=%2B4526092008/);
});

test('it asks while it is seen and not paused, and then only', async () => {
  let calls = 0;
  const page = await stage.open({
    hash: '#/messages',
    prepare: async (page) => {
      await page.clock.install();
      await page.route('**/api/messages?*', (route) => {
        calls += 1;
        return route.fulfill({ json: { messages: [], next: null } });
      });
    },
  });
  await page.getByText('No message has been sent yet.').waitFor();
  const isQuiet = async () => {
    const before = calls;
    await page.clock.runFor(4000);
    // A call of the same page comes after those that were made before.
    await page.evaluate(() => fetch('page/icon.svg').then(() => {}));
    return calls === before;
  };
  // The next question waits for the answer to the last one, which is on its way in real time.
  const asks = async () => {
    let isOver = false;
    const asked = page.waitForRequest(/api\/messages\?/).finally(() => (isOver = true));
    while (!isOver) await page.clock.runFor(1000);
    await asked;
  };
  await asks();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Not updated').waitFor();
  assert.ok(await isQuiet());
  await assertAccessible(page, 'a paused list');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await asks();

  const hide = (isHidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await hide(true);
  assert.ok(await isQuiet());
  await hide(false);
  await asks();
  await page.getByRole('link', { name: 'Try it' }).click();
  await page.getByLabel('Phone number').waitFor();
  assert.ok(await isQuiet());
});

test('a list that gets no answer is not called live, and shows no empty table', async () => {
  const abort = (route) => route.abort();
  const page = await stage.open({
    hash: '#/messages',
    expected: /net::ERR_/,
    prepare: (page) => page.route('**/api/messages?*', abort),
  });
  await page.getByText('The service does not answer.').waitFor();
  await page.getByText('Not updated').waitFor();
  for (const hidden of ['table', 'button:text-is("Older")']) assert.ok(await page.locator(hidden).isHidden(), hidden);
  await page.unroute('**/api/messages?*', abort);
  await page.getByText('Live', { exact: true }).waitFor();
});

test('a filter that was wrong before an outage is not said to be wrong in it', async () => {
  const page = await stage.open({ hash: '#/messages', expected: /net::ERR_/ });
  await filter(page, 'number').fill('12');
  const wrong = page.locator('.field-said').getByText('This is no possible phone number.');
  await wrong.waitFor();
  const abort = (route) => route.abort();
  await page.route('**/api/messages?*', abort);
  await filter(page, 'number').fill('+4526092998');
  await page.getByText('The service does not answer.').waitFor();
  assert.equal(await wrong.count(), 0);
  assert.equal(await filter(page, 'number').getAttribute('aria-invalid'), null);
  // Nor is what was found before it an answer to what is looked for now.
  await page.getByText('Not updated').waitFor();
  for (const hidden of ['table', '.none']) assert.ok(await page.locator(hidden).isHidden(), hidden);
  await page.unroute('**/api/messages?*', abort);
  await page.getByText('No message matches.').waitFor();
});

test('there are older pages, and a way back', async () => {
  const numbers = Array.from({ length: 60 }, (_, index) => `45260930${String(index).padStart(2, '0')}`);
  await Promise.all(numbers.map((number) => send(number)));
  const page = await stage.open({ hash: '#/messages' });
  await page.getByRole('button', { name: 'Older' }).click();
  await status(page, 'Older messages are shown.');
  await page.getByText('Not updated').waitFor();
  const shown = await rows(page).count();
  assert.ok(shown >= 10 && shown <= 50, `${shown}`);
  await page.getByRole('button', { name: 'Newest' }).click();
  await status(page, 'The newest messages are shown.');
  assert.equal(await rows(page).count(), 50);
  await page.getByText('Live', { exact: true }).waitFor();
  await assertAccessible(page, 'a full page');
});

test('a row keeps the focus while the list is renewed', async () => {
  const page = await stage.open({ hash: '#/messages' });
  const first = rows(page).first().getByRole('link');
  await first.focus();
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('href'));
  const link = await focused();
  assert.match(link, /^#\/messages\/[\da-f-]{36}$/);
  await send('4526092004', { type: 'MfaVerification' });
  await rows(page, 'MfaVerification').filter({ hasText: 'delivered' }).waitFor();
  assert.equal(await focused(), link);
});

test('a history has all times, the cost and the error in words', async () => {
  const page = await stage.open({ hash: `#/messages/${await send('4526050002')}` });
  await page.getByText('The number is not in use, or its network does not know it.').waitFor();
  for (const text of ['Admitted', 'Handed over for sending', 'Accepted by GatewayAPI', 'Report: undeliverable']) {
    await page.locator('.step').filter({ hasText: text }).waitFor();
  }
  const facts = (await page.locator('.fact-grid > div').allTextContents()).join('|');
  for (const part of ['CountryDenmark (DK)', 'Usage typeSignIn', 'LanguageEnglish (en)', /TemplateSignIn\/en#/, 'EncodingGSM 03.38', 'Segments1', /CostDKK\s0\.12/, 'UNDELIVERABLE', 'HLR', '0x1001']) {
    assert.ok(part instanceof RegExp ? part.test(facts) : facts.includes(part), `${part} in ${facts}`);
  }
  await assertAccessible(page, 'a history');

  const blocked = await stage.open({ hash: `#/messages/${await send('4526020533')}` });
  await blocked.getByText('The log has it, as incident_uuid, in the line with the message’s id.').waitFor();

  const refused = await stage.open({ hash: `#/messages/${await send('4526020534')}` });
  await refused.getByText('The GatewayAPI account has no credit left.').waitFor();
  await refused.locator('.step.failed').filter({ hasText: 'Closed: account fault' }).waitFor();
  await refused.locator('.fact-grid').filter({ hasText: '0x0216' }).waitFor();
});

/** A message that GatewayAPI says was delivered in a second of its clock. */
const delivered = (time) => ({
  id: '01a21315-eaac-72e6-8439-7016f9a473e9',
  status: 'delivered',
  outcome: 'accepted',
  usage_type: 'SignIn',
  to: '+45******45',
  admitted_at: '2026-11-25T12:00:00.100900Z',
  sent_at: '2026-11-25T12:00:00.103100Z',
  settled_at: '2026-11-25T12:00:01.400900Z',
  delivered_at: time,
  cost: null,
  delivery: { status: 'DELIVERED', time },
});

for (const [locale, time, labels, total] of [
  [
    'en-GB',
    '2026-11-25T12:00:05Z',
    ['', 'took 3 ms', 'took 1.3 s', 'took about 4 s'],
    'In all about 5 s since it was admitted',
  ],
  [
    'fr-FR',
    '2026-11-25T12:00:05Z',
    ['', 'a pris 3 ms', 'a pris 1,3 s', 'a pris environ 4 s'],
    'En tout environ 5 s depuis l’admission',
  ],
  // Within the second in which it was accepted, nobody knows.
  ['en-GB', '2026-11-25T12:00:01Z', ['', 'took 3 ms', 'took 1.3 s', ''], null],
]) {
  test(`a history has the time of each step, in ${locale} until ${time}`, async () => {
    const message = delivered(time);
    const page = await stage.open({
      hash: `#/messages/${message.id}`,
      locale,
      width: 360,
      height: 740,
      prepare: async (page) => {
        await page.route('**/api/messages/*', (route) => route.fulfill({ json: message }));
        await page.route('**/api/messages?*', (route) => route.fulfill({ json: { messages: [message], next: null } }));
      },
    });
    await page.locator('.step').nth(3).waitFor();
    assert.deepEqual(await page.locator('.step-time').allTextContents(), labels);
    assert.deepEqual(await page.locator('.steps-total').allTextContents(), total ? [total] : []);
    await assertAccessible(page, 'the times of a history');
    await assertFits(page, 'the times of a history');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator('main a[href="#/messages"]').click();
    await rows(page, '+45******45').waitFor();
    const took = await rows(page, '+45******45').locator('.column-took').textContent();
    assert.equal(took, total ? total.match(/(about|environ) 5 s/)[0] : '–');
  });
}

test('a history follows its message live', async () => {
  const page = await stage.open({ hash: `#/messages/${await send('4526092005')}` });
  await page.locator('.step').filter({ hasText: 'Report: delivered' }).waitFor();
  await page.locator('.badge.good').filter({ hasText: 'delivered' }).waitFor();
});

test('a history whose service stops says so', async () => {
  const page = await stage.open({
    hash: `#/messages/${await send('4526050008')}`,
    prepare: (page) =>
      page.route('**/api/messages/*/events', (route) => route.fulfill({ contentType: 'text/event-stream', body: ':\n\n' })),
  });
  await page.locator('.note').getByText('The service does not answer.').waitFor();
  assert.equal(await page.getByText('Live', { exact: true }).count(), 0);
  await assertAccessible(page, 'a history without an answer');
});

test('a history that the service has forgotten when it is back says so', async () => {
  let answers = 0;
  const page = await stage.open({
    hash: `#/messages/${await send('4526050008')}`,
    prepare: (page) =>
      page.route('**/api/messages/*/events', (route) => {
        answers += 1;
        return answers === 1 ? route.fulfill({ contentType: 'text/event-stream', body: ':\n\n' }) : route.fulfill({ status: 404, json: {} });
      }),
  });
  await page.locator('.note').getByText('There is no such message any more.').waitFor();
  assert.equal(await page.getByText('The service does not answer.').count(), 0);
  await page.getByText('+45******08').waitFor();
  await assertAccessible(page, 'a history that was forgotten');
});

test('a history that can not be streamed is asked for', async () => {
  const problem = { type: 'urn:gatewayapi-sms-connector:problem:too_many_streams', status: 503, detail: 'too many' };
  let answers = 0;
  const page = await stage.open({
    hash: `#/messages/${await send('4526092006')}`,
    async prepare(page) {
      await page.route('**/api/messages/*/events', (route) => route.fulfill({ status: 503, json: problem }));
      await page.route('**/api/messages/*-*', async (route) => {
        answers += 1;
        const response = await route.fetch();
        const message = await response.json();
        // The first two come before the report.
        return route.fulfill({ response, json: answers < 3 ? { ...message, status: 'accepted', delivery: null } : message });
      });
    },
  });
  await page.locator('.step').filter({ hasText: 'Report: delivered' }).waitFor();
  assert.ok(answers >= 3, `${answers}`);
});

test('a state that nobody knows is shown as it is', async () => {
  const page = await stage.open({ hash: `#/messages/${await send('4526050007')}` });
  await page.locator('.step').filter({ hasText: 'Report:' }).waitFor();
});

test('a message that is not there is told as such', async () => {
  const page = await stage.open({ hash: '#/messages/01a21315-eaac-72e6-8439-7016f9a473e9' });
  await page.getByText('There is no such message.').waitFor();
  await assertAccessible(page, 'no such message');
});

test('markup in what comes from outside stays text', async () => {
  const text = Object.fromEntries(
    ['id', 'status', 'usage_type', 'country', 'to', 'outcome', 'error_kind', 'error_code', 'locale', 'template_variant', 'encoding', 'currency', 'gatewayapi_id'].map((name) => [name, MARKUP]),
  );
  const times = { admitted_at: MARKUP, sent_at: MARKUP, settled_at: MARKUP, delivered_at: MARKUP };
  const delivery = { status: MARKUP, time: MARKUP, error_group: MARKUP, error_code: MARKUP };
  const message = { ...text, ...times, segments: MARKUP, cost: 1, delivery };
  const page = await stage.open({
    hash: '#/messages',
    prepare: async (page) => {
      await page.route('**/api/messages?*', (route) => route.fulfill({ json: { messages: [message], next: MARKUP } }));
      await page.route('**/api/messages/*', (route) => route.fulfill({ json: message }));
    },
  });
  await rows(page, MARKUP).waitFor();
  await assertNoMarkup(page);
  await rows(page, MARKUP).getByRole('link').click();
  await page.locator('.fact-grid').filter({ hasText: MARKUP }).waitFor();
  await assertNoMarkup(page);

  await page.route('**/api/messages?*', (route) => route.fulfill({ status: 503, json: { detail: MARKUP } }));
  await page.getByRole('link', { name: 'Back to messages' }).click();
  await page.locator('.note').filter({ hasText: MARKUP }).waitFor();
  await assertNoMarkup(page);
});

for (const dark of [false, true]) {
  test(`it is accessible and fits a phone, ${dark ? 'dark' : 'light'}`, async () => {
    const id = await send(dark ? '4526092006' : '4526092007');
    const page = await stage.open({ hash: '#/messages', dark, width: 360, height: 740 });
    await rows(page).first().waitFor();
    await assertAccessible(page, 'the list');
    await assertFits(page, 'the list');
    await picture(page, `messages-360-${dark ? 'dark' : 'light'}`, { fullPage: false });
    for (const width of [740, 820, 960, 1000]) {
      await page.setViewportSize({ width, height: 800 });
      await assertFits(page, `the list at ${width} px`);
      const room = await page.locator('.card.flush').evaluate((card) => card.scrollWidth - card.clientWidth);
      assert.equal(room, 0, `the table is wider than its card at ${width} px`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    await assertAccessible(page, 'the wide list');
    await picture(page, `messages-${dark ? 'dark' : 'light'}`, { fullPage: false });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.evaluate((id) => (location.hash = `#/messages/${id}`), id);
    await page.locator('.step').filter({ hasText: 'Report: delivered' }).waitFor();
    await assertAccessible(page, 'a history');
    await assertFits(page, 'a history');
    await picture(page, `message-360-${dark ? 'dark' : 'light'}`);
  });
}
