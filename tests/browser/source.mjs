// What the page's tests read of the project's own files.

import { readFileSync } from 'node:fs';

/** The text of a file, by its path from the project's root. */
export const source = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The words of all enums that a Rust file declares with `words!`. */
export const declaredWords = (path) => [...source(path).matchAll(/^ +\w+ = "(\w+)",$/gm)].map(([, word]) => word);
