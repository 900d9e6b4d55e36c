// A real Chromium on a sandbox, and what each test of the page asks of it: no error in the console, no violation of the
// content security policy, no dialog, and no request that leaves the page's origin.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startSandbox, TOKEN } from './sandbox.mjs';

const CHROMIUM = process.env.SMS_TEST_CHROMIUM ?? '/usr/bin/chromium';
const PICTURES = fileURLToPath(new URL('../../target/browser-screenshots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Milliseconds that anything on the page may take on a busy machine. */
const PATIENCE = 20_000;

/**
 * A sandbox and a browser for the tests of a file. `options` are `startSandbox`'s.
 * `stage.sandbox` is the sandbox, `stage.open()` a page, and after each test the open pages are closed and must have
 * been faultless.
 */
export function openStage(options) {
  const stage = { sandbox: null, open };
  let browser;
  const openPages = [];

  before(async () => {
    // Both are waited for: where one does not start, the other has to end.
    const [sandbox, launched] = await Promise.allSettled([startSandbox(options), launch()]);
    stage.sandbox = sandbox.value;
    browser = launched.value;
    for (const { status, reason } of [sandbox, launched]) if (status === 'rejected') throw reason;
  });
  afterEach(async () => {
    const pages = openPages.splice(0);
    const faults = pages.flatMap(({ faults }) => faults);
    // What a route still answers must not outlive its test.
    await Promise.all(pages.flatMap(({ context }) => context.pages()).map((page) => page.unrouteAll({ behavior: 'ignoreErrors' })));
    await Promise.all(pages.map(({ context }) => context.close()));
    assert.deepEqual(faults, []);
  });
  after(async () => {
    await Promise.all([browser?.close(), stage.sandbox?.stop()]);
  });

  /**
   * A page in a profile of its own, at `hash`, signed in unless `signedIn` is false. `script` runs before the page's
   * own, `prepare` gets the page before it is loaded, and the console may say what `expected` matches.
   */
  async function open({
    hash = '#/try',
    signedIn = true,
    locale = 'en-GB',
    width = 1280,
    height = 900,
    dark = false,
    script,
    prepare,
    expected,
  } = {}) {
    const context = await browser.newContext({
      locale,
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      timezoneId: 'Europe/Copenhagen',
      acceptDownloads: true,
    });
    context.setDefaultTimeout(PATIENCE);
    const faults = [];
    openPages.push({ context, faults });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI} ${event.sourceFile}`);
      });
    });
    if (signedIn) {
      await context.addInitScript((token) => {
        sessionStorage.setItem('operator-token', token);
      }, TOKEN);
    }
    if (script) await context.addInitScript(script);
    const page = await context.newPage();
    watch(page, stage.sandbox.url, faults, expected);
    await prepare?.(page);
    await page.goto(stage.sandbox.url + hash);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  return stage;
}

function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function watch(page, origin, faults, expected) {
  page.on('console', (message) => {
    // Chromium reports each refusal of the interface as an error, and refusals are what some tests are about.
    const isRefusal =
      message.text().startsWith('Failed to load resource: the server responded with a status of') &&
      message.location().url.startsWith(`${origin}api/`);
    if (isRefusal || expected?.test(message.text())) return;
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.stack}`));
  page.on('dialog', async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('popup', (popup) => faults.push(`popup: ${popup.url()}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('blob:') && !url.startsWith('data:')) faults.push(`request: ${url}`);
  });
}

/** Asks axe-core for what shuts people out, by WCAG 2.2 AA and its best practices. */
export async function assertAccessible(page, where) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
  });
  assert.deepEqual(violations, [], `${where} is not accessible`);
}

/** Nothing is wider than the window. */
export async function assertFits(page, where) {
  const { needed, there, guilty } = await page.evaluate(() => {
    const there = document.documentElement.clientWidth;
    const isWide = (element) => element.getBoundingClientRect().right > there + 0.5;
    const guilty = [...document.querySelectorAll('body *')].filter(isWide).map((element) => element.outerHTML.slice(0, 80));
    return { needed: document.documentElement.scrollWidth, there, guilty: guilty.slice(0, 3) };
  });
  assert.ok(needed <= there, `${where} needs ${needed} px of ${there}: ${guilty.join(' ')}`);
}

/** A markup that would show itself, in each way that a page can be made to run it. */
export const MARKUP =
  '<img src=x onerror=alert(1)><script>alert(1)</script><svg onload=alert(1)></svg><a href="javascript:alert(1)">x</a>{{7*7}}\'"';

/** Nothing of `MARKUP` has become an element. */
export async function assertNoMarkup(page) {
  const found = await page.evaluate(() =>
    [...document.querySelectorAll('img, iframe, object, script:not([src="page/app.js"]), svg, [onload], [onerror], a[href^="javascript"]')].map(
      ({ outerHTML }) => outerHTML,
    ),
  );
  assert.deepEqual(found, []);
}

/** The ledger's answer some minutes later: what was sent just now is old enough to be judged. `change` may alter it. */
export async function minutesLater(page, change = (found) => found) {
  await page.route('**/api/deliveries', async (route) => {
    const response = await route.fetch();
    const { due, young, ...found } = await response.json();
    const tallies = (period, { total, countries }) => ({ ...period, total, countries });
    await route.fulfill({ response, json: change({ ...found, due: tallies(due, young), young: tallies(young, due) }) });
  });
}

/** Keeps a picture of the whole page in `target/browser-screenshots/`. */
export async function picture(page, name, options = {}) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png`, fullPage: true, ...options });
}
