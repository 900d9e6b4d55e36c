// Turns the templates of Logto's own connectors into our files.
import { parse } from './template-file.js';

/** Logto's connectors refuse a configuration without these. */
export const REQUIRED = ['Register', 'SignIn', 'ForgotPassword', 'Generic'];

/**
 * Reads Logto's list, or a whole connector configuration that has one.
 * Gives { faults, files: [{ usageType, json }], warnings }, where a fault or warning is { word, values }.
 */
export function readLogtoList(pasted, usageTypes) {
  const { faults } = parse(pasted);
  if (faults.length > 0) {
    const [{ word, from }] = faults;
    const before = pasted.slice(0, from).split('\n');
    const place = { line: before.length, column: before.at(-1).length + 1 };
    return { faults: [{ word, values: {}, place }], files: [], warnings: [] };
  }
  const value = JSON.parse(pasted.replace(/^\uFEFF/, ''));
  const list = Array.isArray(value) ? value : value?.templates;
  if (!Array.isArray(list)) return { faults: [{ word: 'logto_no_list', values: {} }], files: [], warnings: [] };

  const files = new Map();
  const warnings = [];
  list.forEach((entry, index) => {
    const usageType = entry?.usageType;
    const text = entry?.content;
    const values = { name: String(usageType ?? ''), position: index + 1 };
    if (typeof usageType !== 'string' || typeof text !== 'string' || text.trim() === '') {
      warnings.push({ word: 'logto_unreadable', values });
    } else if (usageType === 'Test') {
      warnings.push({ word: 'logto_test', values });
    } else if (!usageTypes.includes(usageType)) {
      warnings.push({ word: 'logto_unknown', values });
    } else if (files.has(usageType)) {
      // Logto takes the first one, too.
      warnings.push({ word: 'logto_twice', values });
    } else files.set(usageType, fileOf(usageType, text));
  });
  for (const name of REQUIRED) {
    if (!files.has(name)) warnings.push({ word: 'logto_missing', values: { name } });
  }
  return { faults: [], files: [...files.values()], warnings };
}

function fileOf(usageType, text) {
  return { usageType, json: `${JSON.stringify({ usageType, content: text }, null, 2)}\n` };
}
