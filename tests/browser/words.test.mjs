// The page's words: all of them in each language, and for each reason that the service can give.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainMessage } from '../../page/outcomes.js';
import { CATALOGUES, LANGUAGES, createWords } from '../../page/words.js';
import { declaredWords, names, source } from './source.mjs';

function missing(keys) {
  return keys.filter((key) => !['what', 'do'].every((part) => `${key}.${part}` in CATALOGUES.outcomes.en));
}

for (const [catalogue, words] of Object.entries(CATALOGUES)) {
  test(`the words of ${catalogue} are the same in each language`, () => {
    assert.deepEqual(Object.keys(words), LANGUAGES);
    const fill = (value) => JSON.stringify(value).match(/\{\w+\}/g)?.sort() ?? [];
    for (const language of LANGUAGES) {
      assert.deepEqual(Object.keys(words[language]).sort(), Object.keys(words.en).sort(), language);
      for (const [key, value] of Object.entries(words[language])) {
        const texts = typeof value === 'object' ? Object.values(value) : [value];
        assert.ok(texts.every((text) => text.trim() === text && text !== ''), `${language} ${key}`);
        assert.deepEqual([...new Set(fill(value))], [...new Set(fill(words.en[key]))], `${language} ${key}`);
      }
    }
  });
}

test('each limit with each of its rules has words', () => {
  // The pairs that src/limits makes refusals of.
  const rules = {
    deny: ['list'],
    countries: ['list'],
    line_types: ['list'],
    number: ['cooldown', 'rates'],
    ip: ['rates', 'countries'],
    range: ['rates'],
    country: ['rates'],
    service: ['rates'],
    spend: ['per_day'],
  };
  assert.deepEqual(Object.keys(rules).sort(), names('limits.rs', 'Limit').sort());
  assert.deepEqual([...new Set(Object.values(rules).flat())].sort(), names('limits.rs', 'Rule').sort());
  assert.deepEqual(missing(Object.entries(rules).flatMap(([limit, list]) => list.map((rule) => `limit.${limit}.${rule}`))), []);
});

test('each kind of error has words, and there are none for others', () => {
  const kinds = [...declaredWords('src/gatewayapi/error.rs'), ...names('sms/msisdn.rs', 'NumberError')];
  assert.deepEqual(missing(kinds.map((kind) => `kind.${kind}`)), []);
  const known = Object.keys(CATALOGUES.outcomes.en).filter((key) => key.startsWith('kind.') && key.endsWith('.what'));
  assert.deepEqual(known.map((key) => key.slice(5, -5)).sort(), kinds.sort());
});

test('each error of the line that is neither a limit’s nor GatewayAPI’s has words', () => {
  const variants = ['SendError', 'MessageError'].flatMap((type) => {
    const [, body] = source('src/send/error.rs').split(`pub enum ${type} {`);
    return [...body.slice(0, body.indexOf('\n}')).matchAll(/^ {4}(\w+)[({,]?/gm)].map(([, name]) => name);
  });
  const types = {
    Number: null,
    Limit: null,
    Message: null,
    GatewayApi: null,
    Ledger: 'unavailable',
    Template: 'service_fault',
    TooManySegments: 'service_fault',
    Interrupted: 'outcome_unknown',
  };
  assert.deepEqual(variants.sort(), Object.keys(types).sort());
  const sentences = source('src/routes/sentence.rs');
  for (const type of Object.values(types).filter(Boolean)) assert.ok(sentences.includes(`=> "${type}"`), type);
  assert.deepEqual(missing(Object.values(types).filter(Boolean).map((type) => `type.${type}`)), []);
});

test('each state and each group of a report’s errors has words', () => {
  const outcomes = declaredWords('src/sms/outcome.rs', 'Outcome');
  const deliveries = names('sms/delivery_status.rs', 'DeliveryStatus').map((name) => name.toLowerCase());
  const states = ['open', ...outcomes, ...deliveries];
  assert.deepEqual(states.filter((state) => !(`status.${state}` in CATALOGUES.outcomes.en)), []);
  assert.deepEqual(missing(names('sms/delivery_status.rs', 'ErrorGroup').map((group) => `group.${group}`)), []);
});

test('a report without an error code is not said to have one', () => {
  const advice = (code) => {
    const delivery = { status: 'REJECTED', error_group: 'GWAPI', error_code: code };
    return explainMessage({ outcome: 'accepted', delivery, error_code: '0x0215' }, createWords(['en'])).todo;
  };
  assert.equal(advice('0x1001'), 'Ask GatewayAPI, with the error code.');
  assert.equal(advice(null), 'Ask GatewayAPI.');
});

test('each usage type has words', () => {
  const types = names('sms/usage_type.rs', 'UsageType');
  assert.equal(types.length, 9);
  assert.deepEqual(types.filter((type) => !(`type.${type}` in CATALOGUES.try.en)), []);
});

test('the first language that the page has is taken, and English otherwise', () => {
  for (const [languages, expected] of [
    [['de-AT', 'en'], 'de'],
    [['da', 'fr-CA', 'en'], 'fr'],
    [['ES'], 'es'],
    [['ja'], 'en'],
    [[], 'en'],
  ]) {
    assert.equal(createWords(languages).language, expected, languages.join());
  }
});

test('values are filled in as they are, and a number chooses its words', () => {
  const { t } = createWords(['en']);
  assert.equal(t('frame.fault', { detail: '{detail} $& <b>' }), 'This could not be loaded: {detail} $& <b>');
  assert.equal(t('messages.count', { count: 1 }), '1 message');
  assert.equal(t('messages.count', { count: 0 }), '0 messages');
});
