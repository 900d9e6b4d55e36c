// What the view "Health" says of the last hour's messages, which the ledger of all instances tells.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, minutesLater, openStage, picture } from './browser.mjs';

const off = ['NUMBER', 'IP', 'RANGE', 'COUNTRY'].map((limit) => [`SMS_LIMITS__${limit}__MODE`, 'off']);
const stage = openStage({ environment: Object.fromEntries(off) });

const GOOD = '+4526091045';
const UNDELIVERABLE = '+4526050002';
const LEDGER = '**/api/deliveries';

const tile = (page, name) => page.getByRole('region', { name, exact: true });
const state = (page, name) => tile(page, name).getAttribute('data-state');

/** Sends messages, and waits until each has its last report. */
async function send(count, to) {
  const sent = [];
  for (let number = 0; number < count; number += 1) sent.push(await stage.sandbox.api('/api/messages', { to }));
  for (const { body } of sent) {
    let status;
    do ({ status } = (await stage.sandbox.api(`/api/messages/${body.id}`)).body);
    while (!['delivered', 'undeliverable'].includes(status));
  }
}

/** The page some minutes later, while the ledger's answer is what `change` makes of the real one. */
async function openLater(change, options) {
  return stage.open({ hash: '#/health', prepare: (page) => minutesLater(page, change), ...options });
}

/** All messages to Denmark, as if no report had come of those that were not delivered. */
function overdue(found) {
  for (const tally of [found.due.total, ...found.due.countries])
    Object.assign(tally, { overdue: tally.undelivered, silent: tally.undelivered, undelivered: 0 });
  return found;
}

test('of a few messages nothing is said', async () => {
  await send(3, GOOD);
  const page = await openLater();
  await tile(page, 'Delivery').getByText('3 messages can be judged so far: too few.').waitFor();
  await tile(page, 'Time to delivery').getByText('Measured so far: 3, too few to judge by.').waitFor();
  await tile(page, 'Delivery').getByText('too few to tell', { exact: true }).waitFor();
  assert.deepEqual([await state(page, 'Delivery'), await state(page, 'Time to delivery')], ['quiet', 'quiet']);
});

test('messages that arrive are good', async () => {
  await send(9, GOOD);
  const page = await openLater();
  await tile(page, 'Delivery').getByText('Messages arrive.').waitFor();
  await tile(page, 'Time to delivery').getByText('Codes arrive while people wait.').waitFor();
  await tile(page, 'Time to delivery').getByText('All instances, the last hour up to 5 minutes ago').waitFor();
  assert.deepEqual([await state(page, 'Delivery'), await state(page, 'Time to delivery')], ['good', 'good']);
});

test('a collapse now is seen, however good the time before was', async () => {
  await send(20, UNDELIVERABLE);
  const started = `process_start_time_seconds ${Date.now() / 1000 - 7 * 86_400}\n`;
  const week = ['sms_accepted_total', 'sms_delivered_total'].map((name) => `${name}{country="DK"} 100000\n`).join(started);
  for (const [name, options] of [
    ['', {}],
    ['-dark', { dark: true }],
    ['-phone', { width: 360, height: 740 }],
  ]) {
    const page = await stage.open({
      hash: '#/health',
      async prepare(page) {
        await page.route('**/metrics', (route) => route.fulfill({ contentType: 'text/plain', body: week }));
        await minutesLater(page);
      },
      ...options,
    });
    await tile(page, 'Delivery').getByText('Few messages arrive now in: Denmark (12 of 32).').waitFor();
    await page.getByText('Something is wrong: Delivery.').waitFor();
    await tile(page, 'Messages').getByText(/^This instance, since \d+ \w+, \d\d:/).waitFor();
    await tile(page, 'Delivery').locator('.figure').filter({ hasText: /^37.5%$/ }).waitFor();
    await tile(page, 'Delivery').locator('summary').click();
    await tile(page, 'Time to delivery').locator('summary').click();
    const cells = await tile(page, 'Delivery').locator('tbody th, tbody td').allTextContents();
    assert.deepEqual(cells, ['Denmark', '37.5%', '12', '20', '0', '0']);
    await assertFits(page, name);
    await assertAccessible(page, `a collapse${name}`);
    await picture(page, `health-collapse${name}`);
  }
});

test('messages of which no report comes count as not arrived', async () => {
  const page = await openLater(overdue);
  await tile(page, 'Delivery')
    .getByText('20 messages have had no final report for more than 5 minutes and count as not arrived.')
    .waitFor();
  assert.equal(await state(page, 'Delivery'), 'bad');
});

test('where reports stopped the webhook is asked for', async () => {
  const page = await openLater((found) => ({
    ...overdue(found),
    last_report_at: new Date(Date.parse(found.until) - 20 * 60_000).toISOString(),
  }));
  await tile(page, 'Delivery').getByText('No delivery report has come for 15 minutes or longer, and 20 messages').waitFor();
  await tile(page, 'Delivery').getByText('Is the webhook entered at GatewayAPI').waitFor();
  assert.equal(await state(page, 'Delivery'), 'watch');
});

test('a busy service’s newest messages are named as such, and a country can be no markup', async () => {
  const page = await openLater(({ due, ...found }) => ({
    ...found,
    due: {
      ...due,
      complete: false,
      since: new Date().toISOString(),
      total: { ...due.total, messages: 10_000 },
      countries: due.countries.map((tally) => ({ ...tally, country: '<b>' })),
    },
  }));
  await tile(page, 'Delivery').getByText(/^All instances, 10,000 messages from \d\d:.* up to 5 minutes ago$/).waitFor();
  await tile(page, 'Delivery').getByText('in: <b> (12 of 32)').waitFor();
});

test('while the ledger is away nobody can tell, and the rest goes on', async () => {
  const page = await stage.open({ hash: '#/try' });
  await page.clock.install();
  const problem = { type: 'urn:gatewayapi-sms-connector:problem:ledger_away', status: 503, detail: 'away' };
  await page.route(LEDGER, (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
  );
  await page.getByRole('link', { name: 'Health' }).click();
  await tile(page, 'Delivery').getByText('The ledger can’t be read just now').waitFor();
  await page.getByText('Worth a look: Delivery, Time to delivery.').waitFor();
  await tile(page, 'Messages').getByText('No message failed lately.').waitFor();
  await tile(page, 'Delivery').locator('.figure').filter({ hasText: /^–$/ }).waitFor();
  // It is asked again soon, not only when its time would have come.
  await page.unroute(LEDGER);
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/deliveries'));
  await page.clock.runFor(5_000);
  assert.equal((await answered).status(), 200);
  // What was sent just now may still arrive.
  await tile(page, 'Delivery').getByText('No message can be judged yet: reports may take 5 minutes.').waitFor();
  assert.equal(await state(page, 'Delivery'), 'quiet');
});

/** As if many messages had gone to countries with long names, with each outcome among them. */
function everywhere(found) {
  const tally = { ...found.due.total, delivered: 11_840, undelivered: 1_312, unconfirmed: 1_204, overdue: 1_107 };
  const of = (country) => ({ ...tally, country, outcomes: { ...tally.outcomes, accepted: 15_463 } });
  return { ...found, due: { ...found.due, total: tally, countries: ['GB', 'BA', 'DK'].map(of) } };
}

for (const locale of ['en-GB', 'de-DE', 'es-ES', 'fr-FR']) {
  test(`the table of countries is seen whole at each width, in ${locale}`, async () => {
    const page = await openLater(everywhere, { locale });
    await page.locator('.tile .blocks td').first().waitFor({ state: 'attached' });
    for (const summary of await page.locator('summary').all()) if (await summary.isVisible()) await summary.click();
    for (const width of [320, 360, 680, 800, 1280, 1440, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll('.tile .table-place')]
          .filter((place) => place.scrollWidth > place.clientWidth)
          .map((place) => `${place.getAttribute('aria-label')}: ${place.scrollWidth} of ${place.clientWidth}`),
      );
      assert.deepEqual(cut, [], `at ${width} px`);
      const cells = page.locator('.tile .blocks tbody tr').first().locator('td');
      assert.equal(await cells.count(), 5);
      for (const cell of await cells.all()) assert.ok(await cell.isVisible());
      if ([360, 800, 1280, 1920].includes(width)) await picture(page, `health-countries-${width}-${locale}`);
    }
    await assertAccessible(page, 'countries with all outcomes');
    // Where there is room, it is a table with its heads.
    await page.setViewportSize({ width: 680, height: 900 });
    assert.equal(await page.locator('.blocks thead th').first().evaluate((head) => getComputedStyle(head.closest('thead')).position), 'static');
  });
}
