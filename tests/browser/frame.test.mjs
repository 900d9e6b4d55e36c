// Sign-in and navigation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, openStage, picture } from './browser.mjs';
import { TOKEN } from './sandbox.mjs';

const stage = openStage();

test('a wrong token is refused in words, and the right one lets in', async () => {
  const page = await stage.open({ signedIn: false });
  await page.getByLabel('Operator token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('The service does not accept this token.').waitFor();
  await assertAccessible(page, 'sign-in');
  await picture(page, 'sign-in-refused');

  await page.getByLabel('Operator token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Try it' }).waitFor();
});
