// A message as a phone shows it, and what it takes to send.

import { el, replace } from '../../dom.js';
import { CAPACITY, encodingName } from '../../encoding.js';
import { explainProblem } from '../../outcomes.js';

/** Beyond this share of its letters a text is of another script, and its characters are not to blame one by one. */
const ANOTHER_SCRIPT = 1 / 4;

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
    show(preview) {
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
      replace(costs, explained(preview, t));
    },
    fail(error) {
      element.classList.add('stale');
      const { what, todo } = explainProblem(error, context);
      replace(costs, el('div', { class: 'note bad' }, el('strong', {}, what), el('p', {}, todo)));
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
  const starts = new Set(preview.segment_starts);
  const parts = [];
  let run = { text: '', why: undefined };
  let segment = 1;
  const close = () => {
    if (run.text) parts.push(run.why ? el('mark', { class: run.why.replace('_', '-') }, run.text) : run.text);
  };
  [...preview.text].forEach((character, at) => {
    const why = costly.get(character);
    if (starts.has(at) || why !== run.why) {
      close();
      run = { text: '', why };
    }
    if (starts.has(at)) {
      segment += 1;
      parts.push(el('span', { class: 'segment-start' }, t('try.segmentStart', { number: segment })));
    }
    run.text += character;
  });
  close();
  return parts;
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
      characters.map(({ character, count }) => el('li', {}, el('mark', { class: kind }, character), count > 1 ? ` × ${count}` : null)),
    ),
  );
}
