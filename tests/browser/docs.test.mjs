// The interface, documented: `/docs`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStage, picture } from './browser.mjs';
import { TOKEN } from './sandbox.mjs';

const stage = openStage();

async function openDocs(options) {
  const page = await stage.open({ signedIn: false, ...options });
  await page.goto(`${stage.sandbox.url}docs`);
  await page.getByText('Send a verification code').waitFor();
  return page;
}

test('the viewer shows each path of the document', async () => {
  const page = await openDocs();
  const { paths } = await (await page.request.get(`${stage.sandbox.url}openapi.json`)).json();
  const shown = await page.locator('.opblock-summary-path').evaluateAll((all) => all.map((one) => one.dataset.path));
  assert.deepEqual([...new Set(shown)].sort(), Object.keys(paths).sort());
  await picture(page, 'docs');
});

test("an operator's endpoint can be tried, with a token that is kept nowhere", async () => {
  const page = await openDocs({ dark: true });
  await page.locator('.scheme-container').getByRole('button', { name: 'Authorize' }).click();
  const operator = page.locator('.auth-container', { hasText: 'operator.token' });
  const field = operator.locator('input');
  assert.deepEqual([await field.getAttribute('type'), await field.getAttribute('autocomplete')], ['password', 'off']);
  await field.fill(TOKEN);
  await operator.getByRole('button', { name: 'Apply credentials' }).click();
  await page.locator('.close-modal').click();

  const preview = page.locator('#operations-Templates-preview');
  await preview.locator('.opblock-summary-control').click();
  await preview.getByRole('button', { name: 'Try it out' }).click();
  await preview.getByRole('button', { name: 'Execute' }).click();
  const answer = preview.locator('.live-responses-table');
  await answer.getByText('"encoding"').first().waitFor();
  assert.match(await answer.innerText(), /200/);
  await picture(page, 'docs-tried');

  const command = await preview.locator('.curl-command').innerText();
  assert.match(command, /Authorization: …/, 'the command is shown without it');
  const shown = await page.locator('html').evaluate((html) => html.outerHTML + html.innerText);
  assert.ok(!shown.includes(TOKEN), 'the token is on the page');

  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(TOKEN), kept);
});

test('nothing is offered to be tried on the other listener', async () => {
  const page = await openDocs();
  const send = page.locator('#operations-Logto-send');
  await send.locator('.opblock-summary-control').click();
  await send.locator('.responses-wrapper').waitFor();
  assert.equal(await send.getByRole('button', { name: 'Try it out' }).count(), 0);
});
