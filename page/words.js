// What the page says, in the browser's language.

import frame from './words/frame.js';
import health from './words/health.js';
import labels from './words/labels.js';
import messages from './words/messages.js';
import outcomes from './words/outcomes.js';
import steps from './words/steps.js';
import templates from './words/templates.js';
import tryIt from './words/try.js';

export const CATALOGUES = { frame, outcomes, steps, try: tryIt, templates, messages, health, labels };
export const LANGUAGES = ['en', 'de', 'es', 'fr'];

/**
 * `t('view.key', { name: value })` gives the words of a key with each `{name}` filled in. Words with a number may be
 * `{ one, other }`, chosen by the value `count`.
 */
export function createWords(languages) {
  const wanted = languages.map((tag) => tag.toLowerCase().split('-')[0]);
  const language = wanted.find((tag) => LANGUAGES.includes(tag)) ?? 'en';
  // The browser's own variant, for dates and numbers: de-AT rather than de.
  const tag = languages.find((full) => full.toLowerCase().split('-')[0] === language) ?? language;
  const plural = new Intl.PluralRules(language);

  function t(key, values = {}) {
    const dot = key.indexOf('.');
    let words = CATALOGUES[key.slice(0, dot)]?.[language]?.[key.slice(dot + 1)];
    if (words === undefined) {
      console.error(`there are no words for ${key}`);
      return key;
    }
    if (typeof words === 'object') words = words[plural.select(values.count)] ?? words.other;
    return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  function has(key) {
    const dot = key.indexOf('.');
    return CATALOGUES[key.slice(0, dot)]?.[language]?.[key.slice(dot + 1)] !== undefined;
  }

  /** What the keys that begin with a prefix such as `try.type.` end with. */
  function namesOf(prefix) {
    const dot = prefix.indexOf('.');
    const begin = prefix.slice(dot + 1);
    const keys = Object.keys(CATALOGUES[prefix.slice(0, dot)].en);
    return keys.filter((key) => key.startsWith(begin)).map((key) => key.slice(begin.length));
  }

  return { language, tag, t, has, namesOf };
}
