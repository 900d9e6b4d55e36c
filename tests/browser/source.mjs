// What the page's tests read of the project's own files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** The text of a file, by its path from the project's root. */
export const source = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The words of the enums that a Rust file declares with `words!`: of all of them, or of this one. */
export function declaredWords(path, type) {
  const text = source(path);
  const begin = type ? text.indexOf(`enum ${type} {`) : 0;
  assert.ok(begin >= 0, `${path}: ${type}`);
  const body = type ? text.slice(begin, text.indexOf('\n    }\n', begin)) : text;
  return [...body.matchAll(/^ +\w+ = "(\w+)",$/gm)].map(([, word]) => word);
}

/** The names that a Rust type's `as_str` gives. */
export function names(file, type) {
  const [, body] = source(`src/${file}`).split(new RegExp(`\\nimpl ${type} \\{`));
  const [, method] = body.split(/fn as_str\(.*?\{\n/s);
  const found = [...method.slice(0, method.indexOf('\n    }\n')).matchAll(/=> "(\w+)"/g)].map(([, name]) => name);
  assert.ok(found.length > 1, `${file}: ${type}`);
  return found;
}
