// The page and `check` find the same in a text.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answersOf, faultsOfText, questionsOf } from '../../page/judgement.js';
import { readTemplateFile } from '../../page/template-file.js';
import { CATALOGUES } from '../../page/words.js';
import { BINARY, startSandbox } from './sandbox.mjs';
import { source } from './source.mjs';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
const INVITATION = 'OrganizationInvitation';
const schema = JSON.parse(source('page/template.schema.json'));
const directory = mkdtempSync(join(tmpdir(), 'judged-'));
cpSync(TEMPLATES, directory, { recursive: true });

let sandbox;
let loaded;
before(async () => {
  sandbox = await startSandbox();
  loaded = (await sandbox.api('/api/templates')).body;
});
after(async () => {
  await sandbox?.stop();
  rmSync(directory, { recursive: true });
});

/** What the page finds in a file. */
async function found(json) {
  const { file, faults } = readTemplateFile(json, { schema, defaultLocale: loaded.default_locale });
  for (const text of file.texts) {
    const questions = questionsOf(file, text, loaded.default_locale);
    const answers = [];
    for (const question of questions) {
      const { status, body } = await sandbox.api('/api/preview', question);
      answers.push(status === 200 ? { preview: body } : { refusal: { message: body.detail } });
    }
    faults.push(...faultsOfText(questions, answers, loaded.max_segments));
  }
  assert.deepEqual(faults.filter(({ word }) => !(word in CATALOGUES.templates.en)), []);
  return faults;
}

function check(usageType, json) {
  writeFileSync(join(directory, `${usageType}.json`), json);
  const { status, stdout, stderr } = spawnSync(BINARY, ['check'], {
    cwd: directory,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      SMS_GATEWAYAPI__API_TOKEN: 'x'.repeat(32),
      SMS_GATEWAYAPI__SENDER: 'ExampleShop',
      SMS_LOGTO__AUTHORIZATION: 'y'.repeat(32),
      SMS_LEDGER__URL: 'sqlite::memory:',
      SMS_TEMPLATES__DIRECTORY: directory,
    },
  });
  cpSync(TEMPLATES, directory, { recursive: true });
  assert.ok([0, 1].includes(status), stderr);
  return { refused: status === 1, warned: stdout.includes(`usage type ${usageType}, locale`), said: stdout + stderr };
}

for (const [name, text, { syntax = 'logto', usageType = 'SignIn' } = {}] of [
  ['a usual text', '{{brand}}: {{ code }}'],
  ['all that a usual request has', '{{code}} {{locale}} {{ttl_minutes}} {{brand}}'],
  ['a name that nobody fills', '{{code}} {{cdoe}}'],
  ['a path that nobody fills', '{{application.name}}: {{code}}'],
  ['no code', 'Hello'],
  ['a code that has no parts', '{{code.part}} Hello'],
  ['what is no placeholder', '{{code}} {{the code}}'],
  ['three segments', `{{code}} ${'a'.repeat(452)}`],
  ['four segments', `{{code}} ${'a'.repeat(453)}`],
  ['three segments of UCS-2', `{{code}} ć${'a'.repeat(193)}`],
  ['four segments of UCS-2', `{{code}} ć${'a'.repeat(194)}`],
  ['handlebars', '{{#if code}}{{code}}{{/if}}', { syntax: 'handlebars' }],
  ['a block without end', '{{#if code}}{{code}}', { syntax: 'handlebars' }],
  ['a value that nobody gives', '{{code}} {{cdoe}}', { syntax: 'handlebars' }],
  ['a value that may be missing', '{{code}}{{#if link}} {{link}}{{/if}}', { syntax: 'handlebars' }],
  ['a condition on the code alone', '{{#if code}}Hello{{/if}}', { syntax: 'handlebars' }],
  ['no text in a usual request', '{{#if link}}{{link}} {{code}}{{/if}}', { syntax: 'handlebars' }],
  ['another template included', '{{> code}}', { syntax: 'handlebars' }],
  ['too many tags', '{{code}}'.repeat(101), { syntax: 'handlebars' }],
  ['an invitation', '{{#if code}}{{code}}{{else}}{{link}}{{/if}}', { syntax: 'handlebars', usageType: INVITATION }],
  ['an invitation that needs a link', '{{link}} {{code}}', { syntax: 'handlebars', usageType: INVITATION }],
  ['an invitation in Logto’s syntax', '{{link}} {{code}}', { usageType: INVITATION }],
  ['an invitation that shows its link only', '{{link}}', { usageType: INVITATION }],
]) {
  test(`the page and check agree on ${name}`, async () => {
    for (const content of [text, { en: '{{code}}{{#if link}}{{link}}{{/if}}', de: text }]) {
      if (typeof content === 'object' && syntax === 'logto') content.en = 'Hello {{code}}';
      const json = JSON.stringify({ usageType, syntax, content });
      const faults = await found(json);
      const { refused, warned, said } = check(usageType, json);
      const has = (severity) => faults.some((fault) => fault.severity === severity);
      assert.equal(has('error'), refused, `${JSON.stringify(faults)} ${said}`);
      if (!refused) assert.equal(has('warning'), warned, `${JSON.stringify(faults)} ${said}`);
    }
  });
}

test('what the service tells of its templates answers the questions about them', async () => {
  const told = answersOf(loaded);
  assert.equal(told.length, loaded.usage_types.length * 25 + 25);
  const differing = told.filter(([question]) => question.locale === 'da' || question.payload.link);
  for (const [question, { preview }] of differing) {
    const { sender, costly, segment_starts, ...asked } = (await sandbox.api('/api/preview', question)).body;
    assert.deepEqual({ ...asked, locale: preview.locale }, preview);
  }
});
