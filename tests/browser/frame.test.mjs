// Sign-in and navigation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, assertNoMarkup, MARKUP, openStage, picture } from './browser.mjs';
import { TOKEN } from './sandbox.mjs';

const stage = openStage();
const VIEWS = ['try', 'templates', 'messages', 'health'];
const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const focused = (page) => page.evaluate(() => document.activeElement.tagName);

test('a wrong token is refused in words, and the right one lets in', async () => {
  const page = await stage.open({ signedIn: false });
  const token = page.getByLabel('Operator token');
  assert.equal(await focused(page), 'INPUT');
  await assertAccessible(page, 'sign-in');
  await picture(page, 'sign-in');
  // No header can carry the last two.
  for (const wrong of ['wrong', `${TOKEN}x`, 'tökén', '\u{1f511}']) {
    await token.fill(wrong);
    await page.keyboard.press('Enter');
    await page.getByText('The service does not accept this token.').waitFor();
    await page.locator('button:not([aria-disabled])').waitFor();
  }
  assert.equal(await token.getAttribute('aria-invalid'), 'true');
  await assertAccessible(page, 'a refused sign-in');

  await token.fill(` ${TOKEN} `);
  await page.keyboard.press('Enter');
  await heading(page, 'Try it');
  assert.equal(await focused(page), 'H1');
});

test('the token stays in the tab, and goes nowhere but into the header', async () => {
  const page = await stage.open({ signedIn: false });
  const calls = [];
  page.on('request', (request) => calls.push(request));
  await page.getByLabel('Operator token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await heading(page, 'Try it');
  await page.locator('.bubble').filter({ hasText: '000000' }).waitFor();

  assert.ok(calls.length > 1);
  for (const call of calls) {
    assert.ok(!call.url().includes(TOKEN), call.url());
    assert.equal((await call.allHeaders()).authorization, `Bearer ${TOKEN}`, call.url());
    assert.ok(!(call.postData() ?? '').includes(TOKEN));
  }
  const kept = await page.evaluate(() => ({ here: { ...sessionStorage }, all: { ...localStorage }, cookies: document.cookie }));
  assert.deepEqual(kept, { here: { 'operator-token': TOKEN }, all: {}, cookies: '' });
  assert.ok(!(await page.content()).includes(TOKEN));

  await page.reload();
  await heading(page, 'Try it');
  const other = await page.context().newPage();
  await other.goto(stage.sandbox.url);
  await other.getByLabel('Operator token').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Operator token').waitFor();
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
  await page.reload();
  await page.getByLabel('Operator token').waitFor();
});

test('whoever signs in next finds nothing that was typed before', async () => {
  const page = await stage.open({ signedIn: false });
  await page.getByLabel('Operator token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByLabel('Phone number').fill('+45 26 09 10 45');
  await page.getByRole('link', { name: 'Messages' }).click();
  await page.locator('#filter-number').fill('+45 26 09 10 46');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Operator token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await heading(page, 'Messages');
  assert.equal(await page.locator('#filter-number').inputValue(), '');
  await page.getByRole('link', { name: 'Try it' }).click();
  assert.equal(await page.getByLabel('Phone number').inputValue(), '');
});

test('a token that is no longer good leads back to the sign-in', async () => {
  const page = await stage.open();
  // No call is under way that could be the first to be refused.
  await page.locator('.bubble').filter({ hasText: '000000' }).waitFor();
  await page.route('**/api/**', (route) => route.fulfill({ status: 401, json: { status: 401 } }));
  await page.getByRole('link', { name: 'Messages' }).click();
  await page.getByText('The service does not accept this token.').waitFor();
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
});

test('a service that does not answer is told as such, and can be asked again', async () => {
  const page = await stage.open({ signedIn: false, expected: /net::ERR_/ });
  const abort = (route) => route.abort();
  await page.route('**/api/**', abort);
  await page.getByLabel('Operator token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('The service does not answer.').waitFor();
  await page.unroute('**/api/**', abort);
  await page.keyboard.press('Enter');
  await heading(page, 'Try it');

  await page.getByRole('link', { name: 'Messages' }).click();
  await heading(page, 'Messages');
  await page.route('**/api/**', abort);
  await page.getByRole('link', { name: 'Try it' }).click();
  await page.getByText('The service does not answer.').waitFor();
  await assertAccessible(page, 'a view without an answer');
  await page.unroute('**/api/**', abort);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByLabel('Phone number').waitFor();
});

test('navigation names the view, marks its link and moves the focus to its heading', async () => {
  const page = await stage.open();
  for (const [link, hash] of [['Messages', '#/messages'], ['Health', '#/health'], ['Templates', '#/templates'], ['Try it', '#/try']]) {
    await page.getByRole('link', { name: link, exact: true }).click();
    await heading(page, link);
    assert.equal(await page.evaluate(() => location.hash), hash);
    assert.equal(await page.title(), `${link} · SMS connector`);
    assert.deepEqual(await page.locator('[aria-current=page]').allTextContents(), [link]);
    assert.equal(await focused(page), 'H1');
  }
  await page.goBack();
  await heading(page, 'Templates');
  await page.evaluate(() => (location.hash = '#/nowhere'));
  await heading(page, 'Try it');
});

test('forced colours mark the link of the view, and no other', async () => {
  const page = await stage.open();
  await page.emulateMedia({ forcedColors: 'active' });
  const border = (link) => link.evaluate((link) => getComputedStyle(link).borderBottomColor);
  const colours = await Promise.all(VIEWS.map((view) => border(page.locator(`nav a[href="#/${view}"]`))));
  const ground = await page.evaluate(() => {
    const probe = document.createElement('p');
    probe.style.color = 'Canvas';
    document.body.append(probe);
    return getComputedStyle(probe).color;
  });
  assert.deepEqual(colours.slice(1), [ground, ground, ground]);
  assert.notEqual(colours[0], ground);
  await picture(page, 'forced-colours');
});

test('a sandbox says that nothing is sent, and a service that is none does not', async () => {
  const said = 'Sandbox: nothing is sent.';
  const page = await stage.open();
  const goesTo = (page) => page.locator('#number-hint').textContent();
  await page.getByText(said).waitFor();
  assert.match(await goesTo(page), /^With country code\. In this sandbox a simulated GatewayAPI takes the message, and no phone gets it/);
  await page.getByRole('link', { name: 'Messages' }).click();
  await heading(page, 'Messages');
  await page.getByText(said).waitFor();

  const other = await stage.open({
    prepare: (page) =>
      page.route('**/api/**', async (route) => {
        const response = await route.fetch();
        const { 'x-sandbox': sandbox, ...headers } = response.headers();
        assert.equal(sandbox, 'true');
        await route.fulfill({ response, headers });
      }),
  });
  await other.locator('.bubble').filter({ hasText: '000000' }).waitFor();
  assert.ok(await other.getByText(said).isHidden());
  assert.match(await goesTo(other), /^With country code\. The message goes to this phone/);
});

test('a real service where a sandbox was is not taken for one, whatever else answers in its place', async () => {
  const said = 'Sandbox: nothing is sent.';
  const page = await stage.open();
  await page.getByText(said).waitFor();
  // A proxy says so of a service that stops, and knows of no sandbox.
  const away = (route) => route.fulfill({ status: 502, body: 'Bad Gateway' });
  await page.route('**/api/**', away);
  await page.getByRole('link', { name: 'Messages' }).click();
  await page.locator('.note.bad').waitFor();
  assert.ok(await page.getByText(said).isVisible());
  await page.unroute('**/api/**', away);
  await page.route('**/api/**', async (route) => {
    const response = await route.fetch();
    const { 'x-sandbox': _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await page.getByRole('link', { name: 'Try it' }).click();
  await page.getByText(said).waitFor({ state: 'hidden' });
  await page.unrouteAll({ behavior: 'wait' });
  await page.getByRole('link', { name: 'Messages' }).click();
  await page.getByText(said).waitFor();
});

test('a link leads to the interface, and a slash behind its address does no harm', async () => {
  const page = await stage.open();
  await page.getByRole('link', { name: 'The interface (API)' }).click();
  await page.getByText('Send a verification code').waitFor();
  await page.goto(`${stage.sandbox.url}docs/`);
  await page.getByText('Send a verification code').waitFor();
  assert.equal(page.url(), `${stage.sandbox.url}docs`);
});

test('an address from elsewhere puts no markup into the page', async () => {
  const page = await stage.open({ hash: `#/${encodeURIComponent(MARKUP)}` });
  await heading(page, 'Try it');
  await page.evaluate((markup) => (location.hash = `#/messages/${encodeURIComponent(markup)}`), MARKUP);
  await page.getByText('There is no such message.').waitFor();
  await page.evaluate(() => (location.hash = '#/messages/%E0%A4%A'));
  await page.getByText('There is no such message.').waitFor();
  await assertNoMarkup(page);
});

for (const [locale, language, names] of [
  ['en-US', 'en', ['Try it', 'Messages']],
  ['de-CH', 'de', ['Testen', 'Nachrichten']],
  ['es-MX', 'es', ['Probar', 'Mensajes']],
  ['fr-FR', 'fr', ['Essayer', 'Messages']],
]) {
  test(`it speaks ${language} to a browser of ${locale}, also on a phone`, async () => {
    const page = await stage.open({ locale, width: 360, height: 740 });
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
    await heading(page, names[0]);
    for (const view of VIEWS) {
      await page.locator(`a[href="#/${view}"]`).click();
      await page.locator(`a[href="#/${view}"][aria-current]`).waitFor();
      await assertFits(page, `${view} in ${language}`);
    }
    await page.locator('a[href="#/messages"]').click();
    await heading(page, names[1]);
    await picture(page, `messages-360-${language}`);
  });
}

test('it may stand under a path of a proxy', async () => {
  const page = await stage.open({ hash: '#/messages' });
  await page.route('**/sms/**', async (route) => {
    const response = await route.fetch({ url: route.request().url().replace('/sms/', '/') });
    await route.fulfill({ response });
  });
  const below = [];
  page.on('request', (request) => below.push(new URL(request.url()).pathname));
  await page.goto(`${stage.sandbox.url}sms/#/try`);
  await page.locator('.bubble').filter({ hasText: '000000' }).waitFor();
  assert.ok(below.length > 10);
  assert.deepEqual(below.filter((path) => !path.startsWith('/sms/')), []);
});

test('a language that it does not have is English', async () => {
  const page = await stage.open({ locale: 'ja-JP' });
  await heading(page, 'Try it');
});
