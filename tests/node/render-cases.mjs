import { parseArgs } from 'node:util';
import { replaceSendMessageHandlebars } from '@logto/connector-kit';

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});

const integerOption = (name) => {
  const value = Number(options[name]);
  if (!Number.isSafeInteger(value)) {
    throw new TypeError(`--${name} must be an integer`);
  }
  return value;
};

// The mulberry32 generator: a number of [0, 1).
const seededRandom = (seed) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const count = integerOption('count');
const random = seededRandom(integerOption('seed'));

const chance = (probability) => random() < probability;
const between = (low, high) => low + Math.floor(random() * (high - low + 1));
const pick = (list) => list[between(0, list.length - 1)];
const repeat = (low, high, make) => Array.from({ length: between(low, high) }, make);

const JS_SPACES = [
  ...'\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
  ...'\u2028\u2029\u202f\u205f\u3000\ufeff',
];
// None of these is matched by JavaScript's \s, though other languages take some for white space.
const NEAR_SPACES = ['\u0085', '\u180e', '\u200b', '\u200c', '\u2060', '\u001c', '\u001f', '\0', '\u3164', '\u2800'];

const PLAIN_NAMES = ['code', 'link', 'locale', 'application', 'user', 'name', 'a', 'b', 'X', 'x_1', '_x', '_', '0', '1'];
const ODD_NAMES = [
  '', '01', '-1', '1e0', '1_0', '2', '4294967294', '4294967295', '4294967296', '18446744073709551616', 'length',
  'a.b', '.', 'a.', 'co-de', 'co de', '$x', '$&', '{{a}}', ' a', 'null', 'undefined', 'NaN', 'true',
  'é', 'código', 'naïve', '\u017f', '\u212a', 'ª', '１', '٣', '名', '😀', 'e\u0301', 'n'.repeat(2000),
];
const INHERITED_NAMES = [
  '__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'toLocaleString', '__defineGetter__',
  'map', 'push', 'concat', 'at', 'join',
];
const randomName = () => {
  const pool = random();
  return pick(pool < 0.65 ? PLAIN_NAMES : pool < 0.9 ? ODD_NAMES : INHERITED_NAMES);
};

const TEXTS = [
  '', ' ', '\n', '\r\n', '\t', 'Your code is ', 'Acme & Søn <i>"x"</i>', '\\', '\\n', '"', "'", '/', '%s', '\0', '\u007f',
  '$', '$$', '$&', '$1', '$`', "$'", '$<code>', '{', '}', '{{', '}}', '}}{{', '{}', '{{}}', '{{ }}', '{{{', '}}}', '{%', '#{',
  'ünïcode', '你好', '🎉', '👩‍👩‍👧', '\u{10ffff}', '\uffff', '\ufeff', '\u2028', '\u200b', '\u0301',
];

const NUMBER_SPELLINGS = [
  '0', '-0', '0.0', '-0.0', '-0e5', '0E-9', '1.0', '1E5', '1e+5', '100', '-1', '0.1', '-0.5', '4.350', '0.30000000000000004',
  '1e20', '1e21', '1e22', '1e23', '-1e21', '999999999999999900000', '999999999999999999999', '123456789012345680000',
  '0.000001', '0.0000001', '1e-6', '1e-7', '1.5e-7', '0.00000123456789', '123456.789e-11',
  '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '9007199254740995',
  '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809',
  '12345678901234567890', '18446744073709551614', '18446744073709551615', '18446744073709551616', '18446744073709551615.0',
  '5e-324', '-5e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '1e-400', '-1e-400', '0e999',
  '2.2250738585072011e-308', '2.2250738585072014e-308', '1.7976931348623157e308', '1.7976931348623158E+308',
  '-1.7976931348623157e308', '1.5e+300', '9.5e-7', '8.41e21', '2.2204460492503131e-16', '7.2057594037927933e16',
];

const randomDouble = () => {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, between(0, 2 ** 32 - 1));
  bits.setUint32(4, between(0, 2 ** 32 - 1));
  return bits.getFloat64(0);
};
const randomDigits = (low, high) => repeat(low, high, () => between(0, 9)).join('');
const randomDecimal = () =>
  [
    chance(0.4) ? '-' : '',
    chance(0.2) ? '0' : `${between(1, 9)}${randomDigits(0, 24)}`,
    chance(0.5) ? `.${randomDigits(1, 24)}` : '',
    chance(0.4) ? `${pick(['e', 'E'])}${pick(['', '+', '-'])}${between(0, chance(0.5) ? 30 : 330)}` : '',
  ].join('');

const randomNumber = () => {
  const double = randomDouble();
  const spelling = pick([
    () => pick(NUMBER_SPELLINGS),
    () => pick([String(double), double.toExponential(16), double.toPrecision(21)]),
    randomDecimal,
  ])();
  // JSON has no infinity, and Logto could not send one.
  return Number.isFinite(Number(spelling)) ? spelling : randomNumber();
};

const escapeEveryUnit = (text) =>
  `"${text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
const quote = (text) => (chance(0.1) ? escapeEveryUnit(text) : JSON.stringify(text));

const randomString = () => quote(repeat(0, 3, () => (chance(0.3) ? `{{${randomName()}}}` : pick(TEXTS))).join(''));

const gap = () => (chance(0.05) ? pick([' ', '\t', '  ']) : '');
const randomArray = (depth) => `[${gap()}${repeat(0, 4, () => randomJson(depth - 1)).join(`${gap()},${gap()}`)}]`;
const randomMember = (depth) => `${quote(randomName())}${gap()}:${gap()}${randomJson(depth - 1)}`;
const randomObject = (depth) => `{${gap()}${repeat(0, 5, () => randomMember(depth)).join(`${gap()},${gap()}`)}}`;
const randomScalar = () =>
  pick([randomNumber, randomNumber, randomString, randomString, () => pick(['true', 'false', 'null', '""'])])();
const randomJson = (depth) =>
  depth > 0 && chance(0.55) ? pick([randomArray, randomObject])(depth) : randomScalar();

const isObject = (value) => typeof value === 'object' && value !== null;

// The paths of all own properties, arrays' length included.
const ownPaths = (value, prefix = []) =>
  Object.getOwnPropertyNames(value).flatMap((name) => {
    const path = [...prefix, name];
    return [path.join('.'), ...(isObject(value[name]) ? ownPaths(value[name], path) : [])];
  });

const distort = (path) => {
  const steps = path.split('.');
  const position = between(0, steps.length);
  return pick([
    () => `${path}.${randomName()}`,
    () => `${path}.${pick(['0', '1', '01', '-1', '1e0', '4294967295', 'length'])}`,
    () => path.replace(/\b\d+\b/, (index) => pick([`0${index}`, `-${index}`, `${index}e0`, `${index}_`, '4294967295', '99'])),
    () => `${path}.`,
    () => `.${path}`,
    () => path.toUpperCase(),
    () => path + pick([...NEAR_SPACES, '-', '$', 'é', '\u017f', '１', '\u0301']),
    () => steps.slice(0, position).join('.'),
    () => [...steps.slice(0, position), '', ...steps.slice(position)].join('.'),
    () => [...steps.slice(0, position), pick(JS_SPACES), ...steps.slice(position)].join('.'),
    () => [...steps.slice(0, position), randomName(), ...steps.slice(position + 1)].join('.'),
  ])();
};

const randomPath = (paths) => {
  if (paths.length === 0 || chance(0.15)) {
    return repeat(1, 4, randomName).join('.');
  }
  return chance(0.65) ? pick(paths) : distort(pick(paths));
};

const randomSpaces = () =>
  chance(0.5) ? '' : repeat(0, 3, () => pick(chance(0.05) ? NEAR_SPACES : JS_SPACES)).join('');

const randomPlaceholder = (paths) => {
  const inner = `${randomSpaces()}${randomPath(paths)}${randomSpaces()}`;
  if (chance(0.7)) {
    return `{{${inner}}}`;
  }
  return pick([
    `{{{${inner}}}}`,
    `{{{{${inner}}}}}`,
    `{{ {{${inner}}} }}`,
    `{{${randomPath(paths)}{{${inner}}}}}`,
    `{{${inner}`,
    `{{${inner}}`,
    `{${inner}}}`,
    `${inner}}}`,
    `{ {${inner}}}`,
    `{{${inner}} }`,
    `}}${inner}{{`,
    `{{${inner}}}{{${inner}}}`,
    `{{${inner} ${randomPath(paths)}}}`,
  ]);
};

const randomTemplate = (paths) =>
  repeat(1, 8, () => (chance(0.55) ? randomPlaceholder(paths) : pick(TEXTS))).join('');

// Logto resolves names of JavaScript's prototypes: a defect that is not to be copied.
const resolvesInherited = (template, payload) =>
  [...template.matchAll(/{{\s*([\w.]+)\s*}}/g)].some(([, path]) => {
    let value = payload;
    for (const step of path.split('.')) {
      if (!isObject(value)) {
        return false;
      }
      if (step in value && !Object.hasOwn(value, step)) {
        return true;
      }
      value = value[step];
    }
    return false;
  });

const render = (template, payload) => {
  try {
    return replaceSendMessageHandlebars(template, payload);
  } catch (error) {
    // Logto cannot print an object with an own "toString".
    if (error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
};

const randomCase = (mustReplace) => {
  for (;;) {
    const payloadJson = randomObject(4);
    const payload = JSON.parse(payloadJson);
    const template = randomTemplate(ownPaths(payload));
    const expected = resolvesInherited(template, payload) ? undefined : render(template, payload);
    if (expected !== undefined && !(mustReplace && expected === template)) {
      return `{"template":${JSON.stringify(template)},"payload":${payloadJson},"expected":${JSON.stringify(expected)}}`;
    }
  }
};

for (let index = 0; index < count; index += 1) {
  console.log(randomCase(index % 2 === 0));
}
