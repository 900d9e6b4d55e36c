// A message as a phone shows it, and what it takes to send.

import { el, replace } from '../../dom.js';
import { CAPACITY, encodingName } from '../../encoding.js';
import { explainFault, explainProblem } from '../../outcomes.js';

/** Beyond this share of its letters a text is of another script, and its characters are not to blame one by one. */
const ANOTHER_SCRIPT = 1 / 4;
/** Spaces, controls, fillers, and what turns the text's direction. */
const UNSEEN = /^[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]$/u;
/** What is seen on the character before it only. */
const ADDED = /^\p{M}$/u;
const PICTURE = /\p{Extended_Pictographic}/u;

export function phone(context) {
  const { t, formatNumber } = context;
  const sender = el('p', { class: 'phone-sender' });
  const bubble = el('p', { class: 'bubble', dir: 'auto' });
  const facts = el('dl', { class: 'facts' });
  const costs = el('div', { class: 'stack costs', 'aria-live': 'polite' });
  const element = el(
    'section',
    { class: 'stack', 'aria-labelledby': 'preview-heading' },
    el('h2', { id: 'preview-heading' }, t('try.preview')),
    el(
      'div',
      { class: 'phone' },
      el('div', { class: 'phone-top' }, el('span', { class: 'phone-face', 'aria-hidden': 'true' }, el('span', { class: 'brand-mark' })), sender),
      el('div', { class: 'phone-messages' }, bubble),
    ),
    facts,
    costs,
  );

  return {
    element,
    /** `warnings` are sentences. */
    show(preview, warnings = []) {
      element.classList.remove('stale');
      sender.textContent = preview.sender;
      bubble.lang = preview.locale;
      replace(bubble, marked(preview, t));
      const [single, each] = CAPACITY[preview.encoding];
      const room = preview.segments === 1 ? single : preview.segments * each;
      replace(
        facts,
        fact(t('try.segments'), formatNumber(preview.segments)),
        fact(t('try.encoding'), encodingName(preview.encoding)),
        fact(t('try.used'), t('try.usedOf', { used: formatNumber(preview.units), room: formatNumber(room) })),
      );
      replace(
        costs,
        warnings.map((sentence) => el('p', { class: 'note warn' }, sentence)),
        explained(preview, t),
      );
    },
    fail(error) {
      element.classList.add('stale');
      // A preview sends nothing, so its lack is no doubt.
      const { what, todo } = error.status === 0 ? { what: explainFault(error, context) } : explainProblem(error, context);
      replace(costs, el('div', { class: 'note bad' }, el('strong', {}, what), todo && el('p', {}, todo)));
    },
  };
}

function fact(name, value) {
  return el('div', {}, el('dt', {}, name), el('dd', { class: 'number' }, value));
}

function isOfAnotherScript({ text, costly }) {
  const outside = costly.filter(({ why }) => why === 'outside_gsm').reduce((sum, { count }) => sum + count, 0);
  return outside > [...text].filter((character) => /\p{L}|\p{N}/u.test(character)).length * ANOTHER_SCRIPT;
}

/** The text, with marks where characters cost, and where a segment begins. */
function marked(preview, t) {
  const costly = new Map(preview.costly.map(({ character, why }) => [character, why]));
  if (isOfAnotherScript(preview)) costly.clear();
  const unseen = unseenOf(preview.text);
  const starts = new Set(preview.segment_starts);
  const parts = [];
  let run = { text: '', why: undefined };
  let segment = 1;
  const close = () => {
    if (run.text) parts.push(run.why ? el('mark', { class: kindOf(run.why) }, run.text) : run.text);
  };
  [...preview.text].forEach((character, at) => {
    const why = costly.get(character);
    const isNamed = Boolean(why) && unseen[at];
    if (starts.has(at) || why !== run.why || isNamed) {
      close();
      run = { text: '', why };
    }
    if (starts.has(at)) {
      segment += 1;
      parts.push(el('span', { class: 'segment-start' }, t('try.segmentStart', { number: segment })));
    }
    if (isNamed) parts.push(el('mark', { class: `${kindOf(why)} unseen` }, codePoint(character)));
    else run.text += character;
  });
  close();
  return parts;
}

function kindOf(why) {
  return why.replace('_', '-');
}

/** For each character of a text whether it can't be seen; what joins a picture together is seen in it. */
function unseenOf(text) {
  return [...new Intl.Segmenter().segment(text)].flatMap(({ segment }) => {
    const isPicture = PICTURE.test(segment);
    return [...segment].map((character) => !isPicture && UNSEEN.test(character));
  });
}

function codePoint(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function explained(preview, t) {
  const notes = [];
  const outside = preview.costly.filter(({ why }) => why === 'outside_gsm');
  const wide = preview.costly.filter(({ why }) => why === 'two_septets');
  if (isOfAnotherScript(preview)) notes.push(el('p', { class: 'hint' }, t('try.anotherScript')));
  else if (outside.length > 0) notes.push(blame(outside, t('try.outside', { count: outside.length }), 'outside-gsm'));
  if (wide.length > 0) notes.push(blame(wide, t('try.wide', { count: wide.length }), 'two-septets'));
  if (preview.segments > 1) notes.push(el('p', { class: 'hint' }, t('try.more', { count: preview.segments })));
  return notes;
}

function blame(characters, sentence, kind) {
  return el(
    'div',
    { class: 'blame' },
    el('p', { class: 'hint' }, sentence),
    el(
      'ul',
      { class: 'characters' },
      characters.map(({ character, count }) => el('li', {}, named(character, kind), count > 1 ? ` × ${count}` : null)),
    ),
  );
}

/** A character by itself. */
function named(character, kind) {
  if (UNSEEN.test(character)) return el('mark', { class: kind }, codePoint(character));
  const mark = el('mark', { class: kind }, character);
  return ADDED.test(character) ? [mark, ` ${codePoint(character)}`] : mark;
}
