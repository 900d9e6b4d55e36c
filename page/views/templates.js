// All templates as a table, an editor for the files that they come from, and Logto's list turned into such files.

import { el, replace } from '../dom.js';
import { readTemplateFile, templateFile } from '../template-file.js';
import { createEditorCard } from './templates/editor-card.js';
import { createLogtoCard } from './templates/logto.js';
import { createTable } from './templates/table.js';

export const title = 'templates.title';

/** What was edited and not yet loaded by the service: text by usage type. It lives as long as the tab. */
const drafts = new Map();
/** What was downloaded last, likewise. */
const offered = new Map();

/** A tab that ends takes with it what was edited and not downloaded, so its browser asks first. */
addEventListener('beforeunload', (event) => {
  if (isUnsaved()) event.preventDefault();
});

export function isUnsaved() {
  return [...drafts].some(([usageType, text]) => text !== offered.get(usageType));
}

/** What was edited is given up. */
export function discard() {
  drafts.clear();
}

export async function show(root, context) {
  const { api, t, signal } = context;
  const [loaded, schema] = await Promise.all([
    api.get('/api/templates', { signal }),
    api.get('/page/template.schema.json', { signal }),
  ]);
  const usageTypes = schema.$defs.template.properties.usageType.enum;
  const read = (json) => readTemplateFile(json, { schema, defaultLocale: loaded.default_locale });
  const place = el('div', { class: 'stack' });
  const table = createTable(loaded, { isChanged: (usageType) => drafts.has(usageType), open }, context);
  let editing = null;

  replace(
    root,
    el('p', { class: 'hint' }, t('templates.intro')),
    warnings(loaded.warnings, t),
    table.element,
    place,
    createLogtoCard({ usageTypes, read, loaded, open: openText }, context),
  );
  return () => editing?.end();

  function open(usageType, locale) {
    openText(usageType, drafts.get(usageType) ?? textOf(usageType), locale);
  }

  function openText(usageType, text, locale) {
    editing?.end();
    const reset = () => textOf(usageType);
    const listeners = { onDraft: keep, onOffer: (type, saved) => offered.set(type, saved), onClose: close };
    editing = createEditorCard({ usageType, text, locale, read, reset, loaded, ...listeners }, context);
    replace(place, editing.element);
    editing.enter();
    keep(usageType, text);
  }

  function close(usageType) {
    editing?.end();
    editing = null;
    replace(place);
    table.focus(usageType);
  }

  function keep(usageType, text) {
    if (text === textOf(usageType)) drafts.delete(usageType);
    else drafts.set(usageType, text);
    table.markChanged();
  }

  /** As loaded; a usage type without texts of its own begins with those that stand in. */
  function textOf(usageType) {
    const usage = loaded.usage_types.find(({ type }) => type === usageType);
    const source = usage?.falls_back_to ? loaded.usage_types.find(({ type }) => type === usage.falls_back_to) : usage;
    return templateFile(usageType, source?.templates ?? []);
  }
}

function warnings(sentences, t) {
  if (sentences.length === 0) return null;
  return el(
    'section',
    { class: 'note warn', 'aria-label': t('templates.warnings') },
    el('strong', {}, t('templates.warnings')),
    // In English, as `check` and the log say it.
    el(
      'ul',
      { class: 'plain-list', lang: 'en' },
      sentences.map((sentence) => el('li', {}, sentence)),
    ),
  );
}
