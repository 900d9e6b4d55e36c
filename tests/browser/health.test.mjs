// The view "Health".

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, minutesLater, openStage, picture } from './browser.mjs';

const stage = openStage({ environment: { SMS_LIMITS__SPEND__PER_DAY__DKK: '0.6', SMS_LIMITS__RANGE__RATES: '1/1h' } });

const tile = (page, name) => page.getByRole('region', { name, exact: true });
const send = (to, code) => stage.sandbox.api('/api/messages', { to, payload: { code } });

async function open(options) {
  const page = await stage.open({ hash: '#/health', ...options });
  await page.locator('.tile[data-state]').nth(11).waitFor();
  return page;
}

/** The rows of a tile's table, as lists of texts. */
async function rows(page, name) {
  const rows = await tile(page, name).locator('tbody tr').all();
  const texts = await Promise.all(rows.map((row) => row.locator('th, td').allTextContents()));
  // Amounts have spaces that don't break.
  return texts.map((row) => row.map((text) => text.replace(/\s/g, ' ')));
}

/** Waits for a figure, which comes with the next turn at the latest. */
async function figure(page, name, expected) {
  await tile(page, name).locator('.figure').filter({ hasText: expected }).waitFor();
}

/** The page's own clock goes on at once, so that no test waits for the next turn. */
async function turn(page) {
  const answered = page.waitForResponse((response) => response.url().endsWith('/metrics'));
  await page.clock.runFor(5_000);
  await answered;
}

/** The same until the ledger's answer, which comes less often, is as it should be. */
async function untilLedger(page, isRight) {
  for (;;) {
    const answered = page.waitForResponse((response) => response.url().endsWith('/api/deliveries'));
    await page.clock.runFor(30_000);
    if (isRight(await (await answered).json())) return;
  }
}

test('an idle service has nothing to say, and no chart is empty of words', async () => {
  const page = await open();
  await page.getByText(/^Watching for \d+ s; nothing wrong seen so far\.$/).waitFor();
  await figure(page, 'Messages', /^0$/);
  await tile(page, 'Messages').getByText('Does Logto’s connector point here?').waitFor();
  await tile(page, 'Delivery reports').getByText('None has come.').waitFor();
  await tile(page, 'Delivery').getByText('No message was accepted in this time.').waitFor();
  await tile(page, 'Delivery').getByText('All instances, the last hour up to 5 minutes ago').waitFor();
  await tile(page, 'Service').getByText('up for less than a minute').waitFor();
  await tile(page, 'Messages').getByText(/^This instance, since \d\d:\d\d:\d\d$/).waitFor();
  assert.equal(await page.getByRole('img').count(), 4);
  assert.match(await page.getByRole('img').first().getAttribute('aria-label'), /^Messages, per minute: /);
  await assertAccessible(page, 'an idle service');
});

test('figures are those of what was sent and refused', async () => {
  const page = await stage.open({ hash: '#/try', prepare: minutesLater });
  await page.clock.install();
  await page.getByRole('link', { name: 'Health' }).click();
  await page.locator('.tile[data-state]').nth(11).waitFor();

  // One after the other: together they may leave as one request.
  const sent = [];
  for (const number of ['+4526091101', '+4526091202', '+4526091203']) sent.push(await send(number, number.slice(-6)));
  assert.deepEqual(
    sent.map(({ status }) => status),
    [200, 200, 200],
  );
  const ids = sent.map(({ body }) => body.id);
  assert.equal((await send('+4526091101', '200')).status, 429);
  assert.equal((await send('+4526020534', '300')).status, 502);
  for (;;) {
    const states = await Promise.all(
      ids.map(async (id) => (await stage.sandbox.api(`/api/messages/${id}`)).body.status),
    );
    if (states.every((state) => state === 'delivered')) break;
  }
  await untilLedger(page, ({ due }) => due.total.delivered === 3);
  await turn(page);
  await figure(page, 'Messages', /^3$/);
  await figure(page, 'Limits', /^1$/);
  await figure(page, 'Delivery', /^100%$/);
  await figure(page, 'GatewayAPI', /^75%$/);
  await figure(page, 'Budget of the day', /^60% DKK$/);
  await page.getByText('Something is wrong: GatewayAPI.').waitFor();
  await tile(page, 'GatewayAPI').getByText('The account has no credit: top it up.').waitFor();
  await tile(page, 'Messages').getByText('1 of 4 messages failed lately.').waitFor();
  await tile(page, 'Limits').getByText('Lately 1 message was refused.').waitFor();
  await tile(page, 'Limits').getByText('Limits in monitor mode would have refused 2 messages').waitFor();

  for (const summary of await page.locator('summary').all()) await summary.click();
  assert.deepEqual((await rows(page, 'Messages')).sort(), [
    ['accepted', '3'],
    ['fault of the account', '1'],
    ['refused by a limit', '1'],
  ]);
  assert.deepEqual((await rows(page, 'Limits')).sort(), [
    ['per number range', '0', '2'],
    ['per number', '1', '0'],
  ]);
  assert.deepEqual(await rows(page, 'Delivery'), [['Denmark', '100%', '3', '0', '0', '0']]);
  const [[country, ...times], ...others] = await rows(page, 'Time to delivery');
  assert.deepEqual([country, others], ['Denmark', []]);
  assert.ok(times.every((time) => /^(< )?\d s$/.test(time)), times.join());
  assert.deepEqual(await rows(page, 'GatewayAPI'), [
    ['circuit breaker', 'Closed'],
    ['accepted', '3'],
    ['no credit', '1'],
    ['tried again', '0'],
    ['answered too late', '0'],
  ]);
  assert.deepEqual(await rows(page, 'Credit'), [['DKK', 'DKK 0.36']]);
  assert.deepEqual(await rows(page, 'Delivery reports'), [['taken in', '9']]);

  // A chart says the same three times: to the eye, by its name, and in its table.
  const chart = page.getByRole('figure').filter({ hasText: 'Messagesper minute' });
  assert.match(
    await chart.getByRole('img').getAttribute('aria-label'),
    /^Messages, per minute: sent [\d.]+, refused by a limit [\d.]+, failed [\d.]+$/,
  );
  assert.equal(await chart.locator('canvas').count(), 1);
  const rowsOfChart = await chart.locator('tbody tr').count();
  await turn(page);
  await page.waitForFunction((before) => document.querySelectorAll('figure tbody')[0].children.length > before, rowsOfChart);
  // What was opened stays open.
  assert.equal(await page.locator('details[open]').count(), await page.locator('details:visible').count());
  await assertAccessible(page, 'a busy service');
  await picture(page, 'health');
});

test('each of several sentences stands by itself', async () => {
  const page = await stage.open({ hash: '#/try' });
  await page.clock.install();
  await page.getByRole('link', { name: 'Health' }).click();
  await page.locator('.tile[data-state]').nth(11).waitFor();
  for (const number of ['+4526020536', '+4526020553']) await send(number, number.slice(-6));
  await turn(page);
  const said = tile(page, 'GatewayAPI').locator('.tile-words');
  await said.locator('li').filter({ hasText: 'GatewayAPI refuses the token' }).waitFor();
  assert.ok((await said.locator('li').count()) > 1);
  assert.equal(await said.locator('p').count(), 0);
});

test('it goes on while the service does not answer, and says so', async () => {
  const page = await stage.open({ hash: '#/try', expected: /net::ERR_/ });
  await page.clock.install();
  await page.route('**/metrics', (route) =>
    route.fulfill({ status: 200, body: 'sms_ledger_up 0\nsms_ledger_waiting 2\nsms_gatewayapi_breaker_state 1\n' }),
  );
  await page.getByRole('link', { name: 'Health' }).click();
  await page.getByText('Worth a look: GatewayAPI, Database.').waitFor();
  await tile(page, 'Database').getByText('2 writes are kept').waitFor();
  await page.unroute('**/metrics');
  await page.route('**/metrics', (route) =>
    route.fulfill({
      status: 200,
      body: `sms_build_info{version="<img src=x onerror=alert(1)>"} 1\nsms_requests_total{outcome="<b>"} 3\nsms_ledger_up 1`,
    }),
  );
  await turn(page);
  await figure(page, 'Service', '<img src=x');
  await page.unroute('**/metrics');
  await page.route('**/metrics', (route) => route.fulfill({ status: 200, contentType: 'text/plain', body: '<html>' }));
  await turn(page);
  await tile(page, 'Database').getByText('Everything is written.').waitFor();
  await page.unroute('**/metrics');
  await page.route('**/metrics', (route) => route.abort());
  await page.clock.runFor(6_000);
  const away = page.getByRole('alert').filter({ hasText: 'The service does not answer.' });
  await away.getByText(/What stands below is of \d\d:\d\d:\d\d\.$/).waitFor();
  await tile(page, 'Database').getByText('Everything is written.').waitFor();
});

test('it rests while nobody looks', async () => {
  const page = await stage.open({ hash: '#/try' });
  await page.clock.install();
  // The figures are shown before the ledger has answered.
  const counted = page.waitForResponse((response) => response.url().endsWith('/api/deliveries'));
  await page.getByRole('link', { name: 'Health' }).click();
  await page.locator('.tile[data-state]').nth(11).waitFor();
  await (await counted).finished();
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const look = (hidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await look(true);
  await page.clock.runFor(60_000);
  assert.deepEqual(asked, []);
  const asksAgain = ['/metrics', '/api/deliveries'].map((path) =>
    page.waitForRequest((request) => request.url().endsWith(path)),
  );
  await look(false);
  await Promise.all(asksAgain);
  assert.deepEqual(asked.sort(), ['/api/deliveries', '/metrics']);
  await page.getByRole('link', { name: 'Templates' }).click();
  await page.locator('.templates-table').waitFor();
  asked.length = 0;
  await page.clock.runFor(60_000);
  assert.deepEqual(asked, []);
});

for (const [locale, heading, name] of [
  ['en-GB', 'Health', 'Messages'],
  ['de-DE', 'Zustand', 'Nachrichten'],
  ['es-ES', 'Estado', 'Mensajes'],
  ['fr-FR', 'État', 'Messages'],
]) {
  test(`it speaks ${locale}, in the dark and on a phone too`, async () => {
    const page = await open({ locale, width: 360, height: 740, dark: true });
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await tile(page, name).waitFor();
    for (const summary of await page.locator('summary').all()) if (await summary.isVisible()) await summary.click();
    await assertFits(page, locale);
    await assertAccessible(page, locale);
    await picture(page, `health-${locale}`);
  });
}
