// Template files as the page reads them.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { readLogtoList } from '../../page/logto-list.js';
import { readTemplateFile, templateFile } from '../../page/template-file.js';
import { CATALOGUES } from '../../page/words.js';
import { source } from './source.mjs';

const repository = new URL('../../', import.meta.url);
const schema = JSON.parse(source('page/template.schema.json'));
const usageTypes = schema.$defs.template.properties.usageType.enum;
const words = CATALOGUES.templates.en;

const read = (json, defaultLocale = 'en') => readTemplateFile(json, { schema, defaultLocale });
/** What is found in a file, as [word, the text that is marked]. */
const found = (json, defaultLocale) =>
  read(json, defaultLocale).faults.map(({ word, from, to }) => {
    assert.ok(word in words, `there are no words for ${word}`);
    return [word, json.slice(from, to)];
  });
const signIn = (content, more = '') => `{"usageType": "SignIn"${more}, "content": ${content}}`;

test('the schema names the usage types that the service knows', () => {
  const [, list] = source('src/sms/usage_type.rs').split('pub const ALL');
  assert.deepEqual(
    [...list.slice(0, list.indexOf('];')).matchAll(/Self::(\w+),/g)].map(([, name]) => name),
    usageTypes,
  );
});

for (const name of readdirSync(new URL('templates/', repository))) {
  test(`the built-in ${name} is faultless, and made from what it holds it is the same file`, () => {
    const json = source(`templates/${name}`);
    const { faults, file } = read(json);
    assert.deepEqual(faults, []);
    const templates = file.texts.map(({ locale, text }) => ({ locale, content: text, syntax: file.syntax }));
    assert.equal(templateFile(file.usageType, templates), json);
    assert.equal(name, `${file.usageType}.json`);
  });
}

for (const [name, json, expected] of [
  ['one text for everybody', signIn('"{{code}}"'), []],
  ['a byte order mark', `\uFEFF${signIn('"{{ code }}"')}`, []],
  ['a schema', signIn('"{{code}}"', ', "$schema": "x"'), []],
  ['handlebars', signIn('"{{#if code}}{{code}}{{/if}}"', ', "syntax": "handlebars"'), []],
  ['nothing', '', [['json_ValueExpected', '']]],
  ['half of it', '{"usageType": "SignIn", ', [['json_PropertyNameExpected', '']]],
  ['a comment', '{} // x', [['json_InvalidCommentToken', '// x']]],
  ['a text without an end', '{"usageType": "SignIn}', [['json_UnexpectedEndOfString', '"SignIn}']]],
  ['a comma too many', '{"usageType": "SignIn", "content": "{{code}}",}', [['json_PropertyNameExpected', '}']]],
  ['no comma', '{"usageType": "SignIn" "content": ""}', [['json_CommaExpected', '"content"']]],
  ['an escape that JSON does not know', signIn('"\\x"'), [['json_InvalidEscapeCharacter', '"\\x"']]],
  ['brackets without end', '['.repeat(100_000), [['json_tooDeep', '[']]],
  ['a number', '7', [['fault_type_template', '7']]],
  [
    'an empty object',
    '{}',
    [
      ['fault_required_template', '{'],
      ['fault_required_template', '{'],
    ],
  ],
  ['another key', signIn('"{{code}}"', ', "contents": 1'), [['fault_additionalProperties_template', '"contents"']]],
  ['a key twice', signIn('"{{code}}"', ', "usageType": "SignIn"'), [['fault_twice_template', '"usageType"']]],
  ['another usage type', '{"usageType": "Signin", "content": "{{code}}"}', [['fault_enum_usageType', '"Signin"']]],
  ['another syntax', signIn('"{{code}}"', ', "syntax": "mustache"'), [['fault_enum_syntax', '"mustache"']]],
  ['content of another kind', signIn('[]'), [['fault_type_content', '[']]],
  ['no texts', signIn('{}'), [['fault_minProperties_texts', '{']]],
  [
    'an empty text',
    signIn('{"en": " \\n"}'),
    [
      ['fault_pattern_text', '" \\n"'],
      ['warning_no_code', '" \\n"'],
    ],
  ],
  ['a text of another kind', signIn('{"en": "{{code}}", "de": null}'), [['fault_type_text', 'null']]],
  ['no language', signIn('{"en": "{{code}}", "english!": "{{code}}"}'), [['fault_pattern_locale', '"english!"']]],
  [
    'no language, though it looks like one',
    signIn('{"en": "{{code}}", "und": "{{code}}"}'),
    [['fault_pattern_locale', '"und"']],
  ],
  ['a language twice', signIn('{"en": "{{code}}", "en": "{{code}}"}'), [['fault_twice_texts', '"en"']]],
  [
    'two names of a language',
    signIn('{"en": "{{code}}", "nb": "{{code}}", "no": "{{code}}"}'),
    [['fault_same_language', '"no"']],
  ],
  ['no text for the default language', signIn('{"de": "{{code}}"}'), [['fault_no_default', '{']]],
  ['another region of the default language', signIn('{"en-GB": "{{code}}"}'), []],
  ['no code', signIn('"Hello"'), [['warning_no_code', '"Hello"']]],
  ['a link in place of the code', '{"usageType": "OrganizationInvitation", "content": "{{link}}"}', []],
  ['what is no placeholder', signIn('"\\n{{code}} {{the code}}"'), [['warning_stray', '{{']]],
]) {
  test(`a file with ${name}`, () => assert.deepEqual(found(json), expected));
}

test('each fault that the schema can find has words', () => {
  const keywords = {
    type: 'type',
    enum: 'enum',
    pattern: 'pattern',
    required: 'required',
    minProperties: 'minProperties',
  };
  const missing = [];
  const ask = (keyword, title) => `fault_${keyword}_${title}` in words || missing.push(`${keyword} of ${title}`);
  const walk = ({ title, oneOf, properties, propertyNames, additionalProperties, ...schema }) => {
    if (oneOf && title) ask('type', title);
    for (const keyword of Object.keys(keywords))
      if (keyword in schema && title !== 'texts' && title !== 'locale') ask(keyword, title);
    if (additionalProperties === false) ask('additionalProperties', title);
    if (properties || propertyNames) ask('twice', title);
    [...Object.values(properties ?? {}), ...(oneOf ?? [])].forEach((one) => one.$ref || walk(one));
  };
  Object.entries(schema.$defs)
    .filter(([name]) => name !== 'locale')
    .forEach(([, one]) => walk(one));
  ask('pattern', 'locale');
  ask('minProperties', 'texts');
  assert.deepEqual(missing, []);
});

test('each of the parser’s errors has words', () => {
  const names = source('page/vendor/jsonc.js')
    .match(/"(Invalid\w+|\w+Expected|UnexpectedEndOf\w+)"/g)
    .map((name) => name.slice(1, -1));
  assert.ok(names.length > 12);
  assert.deepEqual(
    [...new Set(names)].filter((name) => !(`json_${name}` in words)),
    [],
  );
});

const LIST = [
  { usageType: 'SignIn', content: 'In: {{code}}' },
  { usageType: 'Register', content: 'Up: {{ code }}' },
  { usageType: 'ForgotPassword', content: 'Reset: {{code}}' },
  { usageType: 'Generic', content: '{{code}}' },
];

test('Logto’s list comes out as our files', () => {
  for (const pasted of [LIST, { apiToken: 'x', sender: 'y', templates: LIST }]) {
    const { faults, files, warnings } = readLogtoList(JSON.stringify(pasted), usageTypes);
    assert.deepEqual([faults, warnings], [[], []]);
    assert.deepEqual(
      files.map(({ json }) => JSON.parse(json)),
      LIST,
    );
    for (const { json } of files) assert.deepEqual(found(json), []);
  }
});

test('what is wrong with Logto’s list is said, and what is right is kept', () => {
  const pasted = [
    LIST[0],
    { usageType: 'SignIn', content: 'again {{code}}' },
    { usageType: 'Register', content: 'no code' },
    { usageType: 'Login', content: 'x' },
    { usageType: 'Test', content: 'x' },
    null,
    { usageType: 'Generic', content: ['{{code}}'] },
    { content: 'x' },
  ];
  const { files, warnings } = readLogtoList(JSON.stringify(pasted), usageTypes);
  assert.deepEqual(
    files.map(({ json }) => JSON.parse(json)),
    [LIST[0], { usageType: 'Register', content: 'no code' }],
  );
  assert.deepEqual(
    warnings.map(({ word, values: { name, position } }) => [word, position ?? name]),
    [
      ['logto_twice', 2],
      ['logto_unknown', 4],
      ['logto_test', 5],
      ['logto_unreadable', 6],
      ['logto_unreadable', 7],
      ['logto_unreadable', 8],
      ['logto_missing', 'ForgotPassword'],
      ['logto_missing', 'Generic'],
    ],
  );
});

test('what is no list is said, with its place', () => {
  for (const [pasted, word, place] of [
    ['', 'json_ValueExpected', { line: 1, column: 1 }],
    ['[\n  {"usageType": "SignIn"\n', 'json_CommaExpected', undefined],
    ['{"templates": 1}', 'logto_no_list', undefined],
    ['null', 'logto_no_list', undefined],
    ['[\n {} x]', 'json_InvalidSymbol', { line: 2, column: 5 }],
  ]) {
    const {
      faults: [fault],
      files,
    } = readLogtoList(pasted, usageTypes);
    assert.equal(files.length, 0);
    assert.ok(fault.word in words, fault.word);
    if (word !== 'json_CommaExpected') assert.equal(fault.word, word);
    if (place) assert.deepEqual(fault.place, place);
  }
});
