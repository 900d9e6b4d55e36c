// The view "Templates".

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertAccessible, assertFits, assertNoMarkup, MARKUP, openStage, picture } from './browser.mjs';
import { TOKEN } from './sandbox.mjs';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
/** The built-in set with one usage type less, one text that is long, hostile and without the code, and one language missing. */
const directory = mkdtempSync(join(tmpdir(), 'templates-'));
cpSync(TEMPLATES, directory, { recursive: true });
rmSync(join(directory, 'BindMfa.json'));
const register = JSON.parse(readFileSync(join(directory, 'Register.json'), 'utf8'));
register.content.de = `${MARKUP} ${'lang '.repeat(30)}`;
delete register.content.fr;
writeFileSync(join(directory, 'Register.json'), JSON.stringify(register));
after(() => rmSync(directory, { recursive: true }));

const stage = openStage({ environment: { SMS_TEMPLATES__DIRECTORY: directory } });

const editor = (page) => page.locator('.cm-content');
const bubble = (page, hasText) => page.locator('.bubble').filter({ hasText }).first().waitFor();
const fault = (page, hasText) => page.locator('.faults li').filter({ hasText }).first().waitFor();
const json = (content, more = {}) => JSON.stringify({ usageType: 'SignIn', ...more, content }, null, 2);

async function open(options) {
  const page = await stage.open({ hash: '#/templates', ...options });
  await page.locator('.templates-table').waitFor();
  return page;
}

async function edit(page, name = /^SignIn, German \(de\)/) {
  await page.getByRole('button', { name }).click();
  await editor(page).waitFor();
}

async function write(page, text) {
  await editor(page).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

test('all usage types and languages are shown, with what is missing and what is odd', async () => {
  const page = await open();
  assert.equal(await page.locator('.templates-table tbody tr').count(), 9);
  assert.equal(await page.locator('.templates-table thead th').count(), 26);
  for (const name of [
    'SignIn, German (de): GSM 1 segment',
    'SignIn, Arabic (ar): UCS-2 1 segment',
    /^Register, German \(de\): GSM 2 segments/,
  ]) {
    await page.getByRole('button', { name }).waitFor();
  }
  await page.getByRole('button', { name: /^Register, French \(fr\): – no text of its own/ }).waitFor();
  await page
    .getByRole('row', { name: /^BindMfa/ })
    .getByText('those of Generic stand in')
    .waitFor();
  await page.getByText('What check would warn of').waitFor();
  await page.getByText('locale de: the text does not show the code').waitFor();
  await assertNoMarkup(page);
  await assertAccessible(page, 'the templates');
});

test('a cell says its segments in whichever order a language has', async () => {
  const page = await open({
    prepare: (page) =>
      page.route('**/words/templates.js', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.text()).replace("'{count} segment'", "'segments here: {count}'") });
      }),
  });
  await page.getByRole('button', { name: 'SignIn, German (de): GSM segments here: 1', exact: true }).waitFor();
});

test('the table scrolls within its own box, with the keyboard too, and its head stays', async () => {
  const page = await open();
  const box = page.getByRole('region', { name: 'Texts by usage type and language' });
  await box.focus();
  for (let times = 0; times < 5; times += 1) await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('.templates-scroll').scrollLeft > 100);
  const left = (selector) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => element.getBoundingClientRect().left);
  const border = await box.evaluate((element) => element.getBoundingClientRect().left + element.clientLeft);
  assert.equal(await left('.templates-table tbody th'), border);
  assert.equal(await page.evaluate(() => document.scrollingElement.scrollLeft), 0);
});

test('the language that stands in comes first, then those of the browser', async () => {
  for (const [locale, expected] of [
    ['de-AT', ['en', 'de', 'ar']],
    ['en-GB', ['en', 'ar']],
    ['es-MX', ['en', 'es', 'ar']],
  ]) {
    const page = await open({ locale });
    const columns = await page.locator('.templates-table thead th abbr').allTextContents();
    assert.deepEqual(columns.slice(0, expected.length), expected, locale);
    assert.equal(new Set(columns).size, 25);
  }
});

test('a shadow says on which side the table goes on', async () => {
  const page = await open({ width: 360, height: 740 });
  const [before, after] = ['.more.before', '.more.after'].map((side) => page.locator(side));
  await after.waitFor();
  assert.equal(await before.isVisible(), false);
  const scroll = (left) => page.locator('.templates-scroll').evaluate((box, to) => (box.scrollLeft = to), left);
  await scroll(300);
  await before.waitFor();
  assert.equal(await after.isVisible(), true);
  const edge = await before.evaluate((element) => element.getBoundingClientRect().left);
  const names = await page.locator('tbody th').first().evaluate((element) => element.getBoundingClientRect().right);
  assert.ok(Math.abs(edge - names) < 2, `${edge} beside ${names}`);
  await scroll(100_000);
  await after.waitFor({ state: 'hidden' });
});

test('long names break before capitals only', async () => {
  const page = await open({ width: 360, height: 740 });
  const torn = await page.locator('.usage').evaluateAll((places) =>
    places.flatMap((place) => {
      const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
      const found = [];
      while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        if (range.getClientRects().length > 1) found.push(walker.currentNode.textContent);
      }
      return found;
    }),
  );
  assert.deepEqual(torn, []);
  await page.getByRole('row', { name: /^UserPermissionValidation/ }).waitFor();
});

test('on a phone the usage types leave room for the texts', async () => {
  const page = await open({ width: 360, height: 740 });
  const width = (selector) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => element.getBoundingClientRect().width);
  const [types, box] = [await width('.templates-table tbody th'), await width('.templates-scroll')];
  assert.ok(types < box / 2, `${types} of ${box} px`);
});

test('a file is edited, judged and previewed while it is typed, and offered', async () => {
  const page = await open();
  await edit(page);
  await bubble(page, 'Example: 123456 ist Ihr Code für die Anmeldung.');
  const asLoaded = await downloaded(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  assert.equal(asLoaded.name, 'SignIn.json');
  assert.equal(asLoaded.text, readFileSync(`${TEMPLATES}SignIn.json`, 'utf8'));

  await page.getByLabel('Preview in').selectOption({ label: 'French (fr)' });
  await bubble(page, 'est votre code de connexion');

  await write(page, json({ en: 'Go: {{code}}', de: 'Los: {{code}}' }));
  await bubble(page, 'Go: 123456');
  await page.getByText('Nothing wrong with this file.').waitFor();
  await page.locator('.badge:visible').filter({ hasText: 'edited here' }).waitFor();
  await page.keyboard.press('Control+Home');
  for (let line = 0; line < 4; line += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.type(' €č');
  await bubble(page, 'Los: 123456 €č');
  await page.getByText('UCS-2').last().waitFor();
  const changed = await downloaded(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  assert.deepEqual(JSON.parse(changed.text), {
    usageType: 'SignIn',
    content: { en: 'Go: {{code}}', de: 'Los: {{code}} €č' },
  });
  for (const words of [
    'templates.directory',
    'SMS_TEMPLATES__DIRECTORY',
    'kill -HUP',
    'gatewayapi-sms-connector check',
  ]) {
    await page.locator('code').filter({ hasText: words }).first().waitFor();
  }
  await picture(page, 'templates');
  await assertAccessible(page, 'the editor');

  // What was edited is there again after another view, and until one starts over.
  await page.getByRole('link', { name: 'Health' }).click();
  await page.getByRole('link', { name: 'Templates' }).click();
  await edit(page, /^SignIn, English \(en\)/);
  await bubble(page, 'Go: 123456');
  await page.getByRole('button', { name: 'Start over' }).click();
  await bubble(page, 'is your sign-in code');
  await page.getByText('edited here').first().waitFor({ state: 'hidden' });
});

test('faults are marked where they are, and a faulty file is not offered', async () => {
  const page = await open();
  await edit(page);
  await write(
    page,
    `{\n  "usageType": "SignIn",\n  "kind": 1,\n  "content": {"en": "Hello {{co de}}", "english!": "{{code}}"}\n}`,
  );
  await fault(page, 'Line 3: The service does not know “kind”');
  await fault(page, 'Line 4: “english!” is not a language tag');
  await fault(page, 'Line 4: English (en): This text never shows the code');
  await fault(page, 'Line 4: English (en): “{{co de}}” is no placeholder');
  assert.equal(await page.locator('.cm-lintRange-error').first().textContent(), '"kind"');
  await page.getByRole('status').filter({ hasText: '2 errors, 2 warnings' }).waitFor();
  // It can be reached and asked, though it is marked as not to be used.
  await page.getByRole('button', { name: 'Download', exact: true }).click({ force: true });
  await page.getByText('Mend the errors first').waitFor();
  await assertAccessible(page, 'a faulty file');
  await picture(page, 'templates-faults');

  await page.getByRole('button', { name: 'Line 3:' }).click();
  assert.equal(
    await page.evaluate(() => document.activeElement.shadowRoot.getSelection?.().toString() ?? '"kind"'),
    '"kind"',
  );
  await write(page, '{"usageType": "SignIn"');
  await fault(page, 'Line 1: A closing brace } is missing.');
  await write(page, json({ en: '{{code}} {{nobody}}' }));
  await fault(page, '{{nobody}} has no value in a usual request');
  await write(page, json({ en: '{{#if code}}{{code}}' }, { syntax: 'handlebars' }));
  await fault(page, 'English (en): This is no handlebars that the service can read: is a block not closed');
  await write(page, json({ en: '{{code}}'.repeat(101) }, { syntax: 'handlebars' }));
  await fault(page, 'The service refuses this text: more than 100 tags, parentheses and backslashes');
});

test('each language is judged, not only the one in the preview', async () => {
  const page = await open();
  await edit(page, /^SignIn, English/);
  const download = page.getByRole('button', { name: 'Download', exact: true });
  await write(
    page,
    json({ en: 'In: {{code}}', de: '{{#if code}}{{code}}', fr: '{{code}} {{cdoe}}' }, { syntax: 'handlebars' }),
  );
  await bubble(page, 'In: 123456');
  await fault(page, /Line 6: German \(de\): This is no handlebars .* \(line 1, column/);
  await fault(page, 'Line 7: French (fr): “cdoe” has no value in a usual request');
  await page.getByRole('status').filter({ hasText: '2 errors' }).waitFor();
  assert.equal(await download.getAttribute('aria-disabled'), 'true');
  await assertAccessible(page, 'faults in several languages');

  await write(page, json({ en: 'In: {{code}}', de: '{{code}} {{cdoe}}' }));
  await fault(page, 'Line 5: German (de): {{cdoe}} has no value in a usual request');
  assert.equal(await download.getAttribute('aria-disabled'), null);
});

test('what the service has not judged yet is not called faultless, nor offered', async () => {
  const page = await open();
  await edit(page);
  await page.getByText('Nothing wrong with this file.').waitFor();
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  let waiting = 0;
  let most = 0;
  await page.route('**/api/preview', async (route) => {
    waiting += 1;
    most = Math.max(most, waiting);
    await held;
    waiting -= 1;
    await route.continue();
  });
  const texts = Object.fromEntries('en de fr es it nl da sv'.split(' ').map((locale) => [locale, `${locale}: {{code}}`]));
  await write(page, json({ ...texts, pl: '{{#if code}}{{code}}' }, { syntax: 'handlebars' }));
  await page.getByText('The service is looking at the texts').waitFor();
  assert.equal(await page.getByText('Nothing wrong with this file.').count(), 0);
  let offers = 0;
  page.on('download', () => (offers += 1));
  const download = page.getByRole('button', { name: 'Download', exact: true });
  await download.click();
  answer();
  await fault(page, 'Polish (pl): This is no handlebars');
  await page.getByText('Mend the errors first').waitFor();
  assert.equal(await page.locator('.faults li').count(), 1);
  assert.ok(most <= 4, `${most} at once`);
  assert.equal(offers, 0);

  await page.unroute('**/api/preview');
  await write(page, json({ en: 'Go: {{code}}' }));
  const { name } = await downloaded(page, () => download.click());
  assert.equal(name, 'SignIn.json');
});

test('an answer to what was written before says nothing of what is there now', async () => {
  const page = await open();
  await edit(page);
  const held = [];
  await page.route('**/api/preview', (route) => {
    if (route.request().postData().includes('Zuerst')) held.push(route);
    else route.continue();
  });
  await write(page, json({ en: 'In: {{code}}', de: 'Zuerst {{#if code}}' }, { syntax: 'handlebars' }));
  await bubble(page, 'In: 123456');
  await page.waitForFunction(() => document.querySelector('#editor-said').textContent.includes('looking'));
  await write(page, json({ en: 'In: {{code}}', de: 'Dann {{code}}' }, { syntax: 'handlebars' }));
  await page.getByText('Nothing wrong with this file.').waitFor();
  for (const route of held) await route.fulfill({ status: 422, json: { detail: 'late' } }).catch(() => {});
  await page.getByLabel('Preview in').selectOption({ label: 'German (de)' });
  await bubble(page, 'Dann 123456');
  assert.equal(await page.locator('.faults li').count(), 0);
});

test('texts that the service has told of already are not asked about', async () => {
  const page = await open();
  const asked = [];
  page.on('request', (request) => request.url().endsWith('/api/preview') && asked.push(request.postDataJSON().locale));
  await edit(page, /^OrganizationInvitation, English/);
  await bubble(page, '123456 is your code');
  await page.getByText('Nothing wrong with this file.').waitFor();
  assert.deepEqual(asked, ['en']);
});

test('a service that is away is said to be, and asked again', async () => {
  const page = await open({ expected: /ERR_FAILED/ });
  await edit(page);
  await page.route('**/api/preview', (route) => route.abort());
  await write(page, json({ en: 'In: {{code}}', de: 'Rein: {{code}}' }));
  await page.getByRole('status').filter({ hasText: 'The service gives no answer, so not every text' }).waitFor();
  assert.equal(await page.getByText('Nothing wrong with this file.').count(), 0);
  await page.locator('.preview .stale').waitFor();
  // Nobody loses what they wrote because of it.
  const saved = await downloaded(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  assert.equal(saved.name, 'SignIn.json');
  await page.unroute('**/api/preview');
  await page.getByText('Nothing wrong with this file.').waitFor();
  await page.locator('.preview .stale').waitFor({ state: 'hidden' });
});

for (const file of ['editor.js', 'vendor/codemirror.js']) {
  test(`a service that is away when the editor is opened is said to be, and asked again for ${file}`, async () => {
    const page = await open({ expected: /ERR_FAILED/ });
    await page.route(`**/page/${file}`, (route) => route.abort());
    await page.getByRole('button', { name: /^SignIn, German \(de\)/ }).click();
    const note = page.getByRole('alert').filter({ hasText: 'The service does not answer.' });
    await note.waitFor();
    assert.equal(await page.getByRole('button', { name: 'Download', exact: true }).count(), 0);
    await assertAccessible(page, 'an editor that does not come');
    const again = page.getByRole('button', { name: 'Try again' });
    await Promise.all([page.waitForEvent('requestfailed'), again.click()]);
    await note.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'editor-name');
    await page.unroute(`**/page/${file}`);
    await again.dblclick();
    await bubble(page, 'Example: 123456 ist Ihr Code für die Anmeldung.');
    assert.equal(await note.count(), 0);
    await downloaded(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  });
}

test('a text that the service fails at each time keeps no other from being judged', async () => {
  const page = await open();
  await edit(page);
  let fails = 0;
  await page.route('**/api/preview', (route) => {
    const asked = route.request().postData();
    if (asked.includes('Schief')) {
      fails += 1;
      return route.fulfill({ status: 500, json: { detail: 'broken' } });
    }
    return asked.includes('Prohibido') ? route.fulfill({ status: 403, body: 'Forbidden' }) : route.continue();
  });
  const rest = Object.fromEntries('fr it nl da sv'.split(' ').map((locale) => [locale, `${locale}: {{code}}`]));
  await write(page, json({ en: 'In: {{code}}', de: 'Schief {{code}}', es: 'Prohibido {{code}}', ...rest, pl: '{{#if code}}' }, { syntax: 'handlebars' }));
  await fault(page, 'Polish (pl): This is no handlebars');
  await fault(page, 'Spanish (es): This text could not be judged: HTTP 403');
  await page.getByRole('status').filter({ hasText: 'The service gives no answer, so not every text' }).waitFor();
  assert.ok(fails <= 2, `asked ${fails} times`);
  await page.getByLabel('Preview in').selectOption({ label: 'German (de)' });
  await page.waitForResponse('**/api/preview');
  await page.getByLabel('Preview in').selectOption({ label: 'Swedish (sv)' });
  await bubble(page, 'sv: 123456');
});

test('a service that never answers is one that is away', async () => {
  const page = await open();
  await edit(page);
  const held = (route) => held.routes.push(route);
  held.routes = [];
  await page.route('**/api/preview', held);
  await write(page, json({ en: 'In: {{code}}', de: 'Rein: {{code}}' }));
  await page.getByRole('status').filter({ hasText: 'The service gives no answer, so not every text' }).waitFor();
  await page.unroute('**/api/preview', held);
  await page.getByText('Nothing wrong with this file.').waitFor();
});

test('why one language has no preview is not said of another one', async () => {
  const page = await open();
  await edit(page);
  await write(page, json({ en: 'In: {{code}}', de: '{{#if code}}' }, { syntax: 'handlebars' }));
  await page.getByLabel('Preview in').selectOption({ label: 'German (de)' });
  const why = page.getByText('No preview of this text');
  await why.waitFor();
  await page.route('**/api/preview', () => {});
  await write(page, json({ en: 'New: {{code}}', de: '{{#if code}}' }, { syntax: 'handlebars' }));
  await page.getByLabel('Preview in').selectOption({ label: 'English (en)' });
  await why.waitFor({ state: 'hidden' });
  await page.locator('.preview .stale, .stale').first().waitFor();
});

test('a text of more segments than the service allows is a fault', async () => {
  const page = await open();
  await edit(page);
  await write(page, json({ en: 'In: {{code}}', de: `{{code}} ${'lang '.repeat(100)}` }));
  await fault(page, 'German (de): This text takes 4 segments; delivery.max_segments allows 3');
  await page.getByRole('status').filter({ hasText: '1 error' }).waitFor();
  await write(page, json({ en: 'In: {{code}}', de: `{{code}} ${'lang '.repeat(90)}` }));
  await page.getByText('Nothing wrong with this file.').waitFor();
});

test('a refused text is said once, in the language of who reads, with the engine’s words as they are', async () => {
  const page = await open({ locale: 'de-DE' });
  await edit(page, /^SignIn, Deutsch/);
  await write(page, json({ en: '{{code}}', de: '{{#if code}}{{code}}' }, { syntax: 'handlebars' }));
  await fault(page, /Zeile 6: Deutsch \(de\): Das ist kein Handlebars, .*\(line 1, column/);
  await page.getByLabel('Vorschau auf').selectOption({ label: 'Deutsch (de)' });
  await page.getByText('Keine Vorschau dieses Textes: Der Dienst lehnt ihn ab').waitFor();
  const detail = await page.locator('.faults [lang=en]').textContent();
  assert.match(detail, /^line 1, column/);
  assert.equal(await page.getByText('line 1, column').count(), 1);
  assert.equal(await page.getByText('the given text').count(), 0);
  assert.equal(await page.getByText('Generic, locale').count(), 0);
});

test('a browser asks before it loses what was edited and not downloaded', async () => {
  const page = await open();
  const asks = () =>
    page.evaluate(() => {
      const event = new Event('beforeunload', { cancelable: true });
      dispatchEvent(event);
      return event.defaultPrevented;
    });
  await edit(page);
  await bubble(page, 'ist Ihr Code');
  assert.equal(await asks(), false);
  await write(page, json({ en: 'Go: {{code}}' }));
  assert.equal(await asks(), true);
  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal(await asks(), true);
  await edit(page);
  await downloaded(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  assert.equal(await asks(), false);
  await write(page, json({ en: 'Go on: {{code}}' }));
  page.removeAllListeners('dialog');
  const [dialog] = await Promise.all([page.waitForEvent('dialog'), page.close({ runBeforeUnload: true })]);
  assert.equal(dialog.type(), 'beforeunload');
  await dialog.dismiss();
  await page.getByRole('button', { name: 'Start over' }).click();
  assert.equal(await asks(), false);
});

test('a sign-out asks before it loses what was edited, and is whole', async () => {
  const page = await stage.open({ hash: '#/templates', signedIn: false });
  await page.getByLabel('Operator token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await edit(page);
  await write(page, json({ en: 'Go: {{code}}' }));
  page.removeAllListeners('dialog');
  const asked = [];
  let isWanted = false;
  page.on('dialog', (dialog) => {
    asked.push(`${dialog.type()}: ${dialog.message()}`);
    return isWanted ? dialog.accept() : dialog.dismiss();
  });
  const signOut = page.getByRole('button', { name: 'Sign out' });
  await signOut.click();
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), { 'operator-token': TOKEN });
  assert.match(await editor(page).textContent(), /Go: /);
  isWanted = true;
  await signOut.click();
  await page.getByLabel('Operator token').waitFor();
  const question = 'confirm: Your edited templates have not been downloaded. Sign out and lose them?';
  assert.deepEqual(asked, [question, question]);
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
});

test('a warning of the preview stays while the text does', async () => {
  const page = await open();
  await edit(page);
  await write(page, json({ de: 'Hallo {{user}}, {{code}}' }));
  await fault(page, 'user');
  const found = await page.locator('.faults li').allTextContents();
  await page.clock.install();
  await page.keyboard.press('End');
  await page.keyboard.insertText('  ');
  await page.clock.runFor(1_000);
  assert.deepEqual(await page.locator('.faults li').allTextContents(), found);
});

test('an edit that is taken back does not get the answer to what it was', async () => {
  const page = await open();
  await edit(page);
  await write(page, json({ de: 'Erstens {{code}}' }));
  await bubble(page, 'Erstens');
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  await page.route('**/api/preview', async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest('**/api/preview');
  await write(page, json({ de: 'Zweitens {{code}}' }));
  const ended = page.waitForEvent('requestfailed');
  await asked;
  await write(page, json({ de: 'Erstens {{code}}' }));
  assert.match((await ended).url(), /preview$/);
  answer();
  await bubble(page, 'Erstens');
});

test('an invitation can be previewed without a code', async () => {
  const page = await open();
  await edit(page, /^OrganizationInvitation, English/);
  await bubble(page, '123456 is your code');
  await page.getByLabel('An invitation without a code').check();
  await bubble(page, 'invited to join');
});

test('the editor can be reached and left with the keyboard', async () => {
  const page = await open();
  await page.getByRole('button', { name: /^SignIn, German/ }).focus();
  await page.keyboard.press('Enter');
  await editor(page).waitFor();
  const at = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement.shadowRoot ? 'editor' : activeElement.id || activeElement.textContent;
    });
  assert.equal(await at(), 'editor-name');
  await page.keyboard.press('Tab');
  assert.equal(await at(), 'Close');
  await page.keyboard.press('Tab');
  assert.equal(await at(), 'editor');
  await page.getByText('In the editor Tab indents. Escape, then Tab leaves it.').waitFor();
  const before = await editor(page).textContent();
  await page.keyboard.press('Tab');
  assert.equal(await at(), 'editor');
  assert.notEqual(await editor(page).textContent(), before);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.equal(await at(), 'preview-locale');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await at(), 'editor');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await at(), 'Close');
  await page.keyboard.press('Enter');
  assert.match(await at(), /^SignIn, English/);
});

test('Logto’s list comes out as our files', async () => {
  const page = await open();
  const box = page.getByLabel('Logto’s templates (JSON)');
  const turn = page.getByRole('button', { name: 'Make files of it' });
  await turn.click();
  await page.getByText('Line 1, column 1: A value is missing here').waitFor();
  await box.fill(
    JSON.stringify({
      endpoint: 'https://gatewayapi.com/rest/mtsms',
      apiToken: 'secret',
      sender: 'Shop',
      templates: [
        { usageType: 'SignIn', content: 'In: {{code}}' },
        { usageType: 'Register', content: 'Hello {{name}}' },
        { usageType: 'Generic', content: MARKUP },
        { usageType: MARKUP, content: '{{code}}' },
        { usageType: 'ForgotPassword', content: '{{application.name}}: {{code}}' },
        { usageType: 'OrganizationInvitation', content: `{{code}} ${'long '.repeat(100)}` },
      ],
    }),
  );
  const sent = [];
  page.on('request', (request) => sent.push(request.postData() ?? ''));
  await turn.click();
  await page.getByText('5 templates found.').waitFor();
  await bubble(page, 'In: 123456');
  await bubble(page, '<img src=x');
  const card = (name) => page.getByRole('group', { name });
  await card('SignIn.json').getByText('room of 10 characters').waitFor();
  await card('ForgotPassword.json').getByText('{{application.name}} has no value in a usual request').waitFor();
  await card('OrganizationInvitation.json').getByText('This text takes 4 segments').waitFor();
  await page.getByText('Entry 4: there is no usage type “<img').waitFor();
  await card('Register.json').getByText('{{code}} is missing').waitFor();
  await assertNoMarkup(page);
  assert.ok(sent.every((body) => !body.includes('secret')));
  await assertAccessible(page, 'Logto’s list');
  await picture(page, 'templates-logto');

  const one = await downloaded(page, () => page.getByRole('button', { name: 'Download SignIn.json' }).click());
  assert.deepEqual([one.name, JSON.parse(one.text)], ['SignIn.json', { usageType: 'SignIn', content: 'In: {{code}}' }]);
  const whole = page.getByRole('button', { name: 'Download all in one file' });
  await whole.click({ force: true });
  await page.getByText('Mend the errors first').waitFor();
  const list = JSON.parse(await box.inputValue());
  await box.fill(JSON.stringify(list.templates.filter(({ content }) => !content.includes('long'))));
  await turn.click();
  await page.getByText('4 templates found.').waitFor();
  const all = await downloaded(page, () => whole.click());
  assert.equal(all.name, 'templates.json');
  assert.deepEqual(
    JSON.parse(all.text).map(({ usageType }) => usageType),
    ['SignIn', 'Register', 'Generic', 'ForgotPassword'],
  );

  await page.getByRole('button', { name: 'Edit Register.json' }).click();
  await fault(page, '{{name}} has no value in a usual request');
});

test('an invitation of Logto’s is shown as each usual request has it', async () => {
  const page = await open({ width: 360, height: 740 });
  const list = [
    { usageType: 'SignIn', content: 'In: {{code}}' },
    { usageType: 'OrganizationInvitation', content: 'Your code is {{code}}, {{nobody}}.' },
  ];
  await page.getByLabel('Logto’s templates (JSON)').fill(JSON.stringify(list));
  await page.getByRole('button', { name: 'Make files of it' }).click();
  const card = page.getByRole('group', { name: 'OrganizationInvitation.json' });
  await card.getByText('With a code:').waitFor();
  await card.getByText('With a link:').waitFor();
  const said = 'An invitation with a link alone has no value for {{code}}, which would be sent as it stands.';
  await card.getByText(said).waitFor();
  await card.getByText('{{nobody}} has no value in a usual request and would be sent as it stands.').waitFor();
  assert.equal(await card.getByText('{{code}} has no value in a usual request').count(), 0);
  assert.deepEqual(await card.locator('.bubble').allTextContents(), [
    'Your code is 123456, {{nobody}}.',
    'Your code is {{code}}, {{nobody}}.',
  ]);
  await assertAccessible(page, 'an invitation of Logto’s');
  await assertFits(page, 'an invitation of Logto’s');
  await picture(page, 'templates-360-invitation');
  const signIn = page.getByRole('group', { name: 'SignIn.json' });
  assert.deepEqual(await signIn.locator('.bubble').allTextContents(), ['In: 123456']);
  assert.equal(await signIn.getByText('With a code:').count(), 0);

  await page.getByRole('button', { name: 'Edit OrganizationInvitation.json' }).click();
  await fault(page, said);
  await write(page, JSON.stringify({ usageType: 'OrganizationInvitation', content: 'Join: {{link}}' }));
  await fault(page, 'An invitation with a code alone has no value for {{link}}, which would be sent as it stands.');
});

test('markup in a template stays text', async () => {
  const page = await open();
  await edit(page);
  await write(page, json({ en: `${MARKUP} {{code}}`, [MARKUP]: MARKUP }, { [MARKUP]: MARKUP, syntax: MARKUP }));
  await bubble(page, '<img src=x onerror=alert(1)>');
  await fault(page, 'There is no syntax “<img');
  await fault(page, '” is not a language tag');
  const injected = await page.evaluate(
    () =>
      document.querySelector('.editor-place').shadowRoot.querySelectorAll('img[src="x"], script, [onload], a').length,
  );
  assert.equal(injected, 0);
  await assertNoMarkup(page);
});

for (const [locale, heading, download] of [
  ['en-GB', 'Templates', 'Download'],
  ['de-DE', 'Vorlagen', 'Herunterladen'],
  ['es-ES', 'Plantillas', 'Descargar'],
  ['fr-FR', 'Modèles', 'Télécharger'],
]) {
  test(`it speaks ${locale}, in the dark and on a phone too`, async () => {
    const page = await open({ locale, width: 360, height: 740, dark: true });
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    const first = await page.locator('.templates-table tbody th').first().boundingBox();
    assert.ok(first.width >= 100, `${first.width}`);
    await edit(page, /^SignIn, .*\(de\)/);
    await bubble(page, 'ist Ihr Code');
    await page.getByRole('button', { name: download, exact: true }).waitFor();
    await write(page, '{"usageType": "x", "content": {"english!": "", "nb": "a", "no": "b"}}');
    await page.locator('.faults li').nth(5).waitFor();
    await assertFits(page, locale);
    await assertAccessible(page, locale);
    await picture(page, `templates-${locale}`);
  });
}
