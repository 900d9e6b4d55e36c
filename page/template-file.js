// Reads a template file as the service does (src/templates/file.rs), and says what is wrong with it, and where.
import { faultsOf } from './json-schema.js';
import { parseTree, printParseErrorCode } from './vendor/jsonc.js';

const STRICT = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };
/** A placeholder of Logto's syntax. */
const PLACEHOLDER = /\{\{\s*([\w.]+)\s*\}\}/g;

/**
 * A fault or warning is { severity, word, values, from, to }, where word is a key of words/templates.js.
 * The file is { usageType, syntax, texts: [{ locale, text, from, to }] } as far as it can be read; locale is undefined
 * where one text is everybody's.
 */
export function readTemplateFile(json, { schema, defaultLocale }) {
  const { node, faults } = parse(json);
  // What is no JSON yet is not judged by the schema: half of it would be said to be missing.
  if (!node || faults.length > 0) return { faults, file: node && fileOf(node) };
  for (const found of faultsOf(schema.$defs.template, node, schema)) faults.push(schemaFault(found));
  const file = fileOf(node);
  if (file) {
    for (const fault of faultsOfLocales(file, defaultLocale)) faults.push(fault);
    for (const fault of warningsOf(file, json)) faults.push(fault);
  }
  // A language tag may be wrong by the schema and by its meaning.
  const once = new Map(faults.map((fault) => [`${fault.word} ${fault.from} ${fault.values.name}`, fault]));
  return { faults: [...once.values()], file };
}

/** The usage type's file as it lies in templates/, from what GET /api/templates says of it. */
export function templateFile(usageType, templates) {
  const content = Object.fromEntries(templates.map(({ locale, content }) => [locale, content]));
  const syntax = templates.some((template) => template.syntax === 'handlebars') ? { syntax: 'handlebars' } : {};
  return `${JSON.stringify({ usageType, ...syntax, content }, null, 2)}\n`;
}

/** Words in braces that a rendered text still shows: nobody gave them a value. */
export function unfilled(text) {
  return [...text.matchAll(PLACEHOLDER)].map(([written]) => written);
}

/** Parses JSON, with a tree that knows places. */
export function parse(json) {
  const errors = [];
  let node;
  try {
    node = parseTree(json.replace(/^\uFEFF/, ' '), errors, STRICT);
  } catch (error) {
    // The parser calls itself for each bracket within another.
    if (error instanceof RangeError) return { node: undefined, faults: [jsonFault('tooDeep', 0, 1)] };
    throw error;
  }
  // A value that begins wrongly breaks what follows: the first error is the true one.
  const faults = errors.slice(0, 1).map(({ error, offset, length }) => {
    const to = Math.min(offset + Math.max(length, 1), json.length);
    return jsonFault(printParseErrorCode(error), Math.min(offset, json.length), to);
  });
  if (!node && faults.length === 0) faults.push(jsonFault('ValueExpected', 0, 0));
  return { node, faults };
}

function jsonFault(code, from, to) {
  return { severity: 'error', word: `json_${code}`, values: {}, from, to };
}

function schemaFault({ keyword, title, node, expected, name }) {
  const whole = node.type === 'object' || node.type === 'array';
  return {
    severity: 'error',
    word: `fault_${keyword}_${title}`,
    values: { name: name ?? String(node.value ?? ''), expected: (expected ?? []).join(', ') },
    from: node.offset,
    // What is missing in an object has no place of its own: its opening brace stands for it.
    to: node.offset + (whole ? 1 : node.length),
  };
}

function fileOf(node) {
  if (node.type !== 'object') return undefined;
  const valueOf = (name) => node.children.find(({ children: [key] }) => key.value === name)?.children[1];
  const content = valueOf('content');
  const text = (value, locale, key) => ({
    locale,
    text: value.value,
    key,
    from: value.offset,
    to: value.offset + value.length,
  });
  let texts = [];
  if (content?.type === 'string') texts = [text(content)];
  if (content?.type === 'object') {
    const entries = content.children.filter(({ children: [, value] }) => value?.type === 'string');
    texts = entries.map(({ children: [key, value] }) => text(value, key.value, key));
  }
  return { usageType: valueOf('usageType')?.value, syntax: valueOf('syntax')?.value ?? 'logto', content, texts };
}

function* faultsOfLocales({ content, texts }, defaultLocale) {
  if (content?.type !== 'object' || texts.length === 0) return;
  const seen = new Map();
  for (const { locale, key } of texts) {
    const language = sameness(locale);
    const place = { from: key.offset, to: key.offset + key.length };
    if (!language) {
      yield { severity: 'error', word: 'fault_pattern_locale', values: { name: locale }, ...place };
    } else if (seen.has(language) && seen.get(language) !== locale) {
      const values = { name: locale, other: seen.get(language) };
      yield { severity: 'error', word: 'fault_same_language', values, ...place };
    } else seen.set(language, locale);
  }
  const wanted = sameness(defaultLocale)?.split('-').slice(0, 2).join('-');
  if (wanted && ![...seen.keys()].some((language) => language.startsWith(`${wanted}-`))) {
    const place = { from: content.offset, to: content.offset + 1 };
    yield { severity: 'error', word: 'fault_no_default', values: { name: defaultLocale }, ...place };
  }
}

/** The tag with its likely script and region, as src/templates/locale.rs compares them. Undefined: no language. */
function sameness(tag) {
  try {
    const locale = new Intl.Locale(tag.trim().replaceAll('_', '-'));
    // An undetermined language is "und", or undefined.
    if (['und', 'mul', undefined].includes(locale.language) || tag.length > 35) return undefined;
    const norwegian = ['no', 'nn'].includes(locale.language) && { language: 'nb' };
    const { language, script, region } = new Intl.Locale(locale, norwegian || {}).maximize();
    return [language, script, region].join('-');
  } catch {
    return undefined;
  }
}

function* warningsOf({ usageType, syntax, texts }, json) {
  for (const { text, locale, from, to } of texts) {
    const values = { locale: locale ?? '' };
    const names =
      syntax === 'logto'
        ? [...text.matchAll(PLACEHOLDER)].map(([, path]) => path.split('.')[0])
        : (text.match(/\{\{[^}]*/g) ?? []).flatMap((tag) => tag.match(/[\w]+/g) ?? []);
    const asksForLink = usageType === 'OrganizationInvitation' && names.includes('link');
    if (!names.includes('code') && !asksForLink) {
      yield { severity: 'warning', word: 'warning_no_code', values, from, to };
    }
    if (syntax === 'logto') {
      // Looked for as it is written, so that escapes before it don't shift the mark.
      const written = json.slice(from, to).replace(PLACEHOLDER, (found) => '\0'.repeat(found.length));
      const stray = written.indexOf('{{');
      if (stray >= 0) {
        const shown = {
          ...values,
          name: written
            .slice(stray, stray + 20)
            .replace(/["\0].*$/s, '')
            .trim(),
        };
        yield { severity: 'warning', word: 'warning_stray', values: shown, from: from + stray, to: from + stray + 2 };
      }
    }
  }
}
