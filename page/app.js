// The frame: sign-in, navigation, and the view that the address names.

import { ApiError, createApi } from './api.js';
import { el, replace } from './dom.js';
import { createWords } from './words.js';
import { createFormats } from './formats.js';
import { field } from './fields.js';
import { explainFault } from './outcomes.js';
import * as health from './views/health.js';
import * as message from './views/message.js';
import * as messages from './views/messages.js';
import * as templates from './views/templates.js';
import * as tryIt from './views/try.js';

const NAVIGATION = { try: tryIt, templates, messages, health };
const TOKEN = 'operator-token';

const words = createWords(navigator.languages ?? [navigator.language]);
const { t, language } = words;
const formats = createFormats(words);

/** The view that is shown: its end, and what it was called for. */
let shown = null;
/** Of the signed-in frame. */
let frame = null;

document.documentElement.lang = language;
addEventListener('hashchange', () => frame && showView());
start();

function start() {
  const token = sessionStorage.getItem(TOKEN);
  if (token) enter(token);
  else showSignIn();
}

/** Shows the views. The focus stays where a loaded page has it, and moves to the heading after a sign-in. */
function enter(token, { moveFocus = false } = {}) {
  // An answer to a token that has been left already says nothing of the one in use.
  const onUnauthorized = () => frame?.api === api && leave(t('frame.tokenRefused'));
  const sandbox = el('p', { class: 'sandbox', hidden: true }, t('frame.sandbox'));
  const api = createApi(token, { onUnauthorized, onSandbox: (isOne) => (sandbox.hidden = !isOne) });
  const links = Object.entries(NAVIGATION).map(([name, view]) => el('a', { href: `#/${name}` }, t(view.title)));
  const heading = el('h1', { tabindex: -1, id: 'heading' });
  const root = el('div', { class: 'view' });
  frame = { api, links, heading, root, moveFocus, isSandbox: () => !sandbox.hidden };
  replace(
    document.body,
    el('a', { class: 'skip', href: '#heading', click: skip }, t('frame.skip')),
    el(
      'header',
      { class: 'top' },
      el('span', { class: 'brand' }, el('span', { class: 'brand-mark', 'aria-hidden': 'true' }), t('frame.brand')),
      el('nav', { 'aria-label': t('frame.navigation') }, links),
      el('button', { class: 'button quiet sign-out', type: 'button', click: signOut }, t('frame.signOut')),
      sandbox,
    ),
    el('main', { 'aria-labelledby': 'heading' }, heading, root),
    el('footer', { class: 'bottom' }, el('a', { href: 'docs' }, t('frame.docs'))),
  );
  showView();

  function skip(event) {
    event.preventDefault();
    heading.focus();
  }
}

/** Forgets what was typed as well, since somebody else may come. Once it has begun, no browser must stop it half-way. */
function signOut() {
  if (templates.isUnsaved() && !confirm(t('frame.signOutUnsaved'))) return;
  endView();
  templates.discard();
  sessionStorage.removeItem(TOKEN);
  location.reload();
}

/** Ends what is shown and asks for a token, with a sentence on why. What was typed stays for who comes back. */
function leave(sentence) {
  sessionStorage.removeItem(TOKEN);
  endView();
  frame = null;
  showSignIn(sentence);
}

function endView() {
  shown?.controller.abort();
  shown?.end?.();
  shown = null;
}

/** `#/messages/<id>` is the view `message` with a parameter; an address that nobody knows is the landing view. */
function place() {
  const [name, parameter] = location.hash.replace(/^#\/?/, '').split('/');
  if (name === 'messages' && parameter) return { tab: 'messages', view: message, parameter: decode(parameter) };
  const tab = Object.hasOwn(NAVIGATION, name) ? name : 'try';
  return { tab, view: NAVIGATION[tab], parameter: null };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function showView() {
  endView();
  const { tab, view, parameter } = place();
  const { api, links, heading, isSandbox } = frame;
  for (const link of links) {
    if (link.getAttribute('href') === `#/${tab}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  heading.textContent = t(view.title);
  document.title = `${t(view.title)} · ${t('frame.brand')}`;
  // A view that ends late must not write into the next one.
  const root = el('div', { class: `view view-${tab}` });
  frame.root.replaceWith(root);
  frame.root = root;
  if (frame.moveFocus) heading.focus();
  frame.moveFocus = true;
  scrollTo(0, 0);

  const controller = new AbortController();
  const current = { controller, end: null };
  shown = current;
  const { signal } = controller;
  const { has, namesOf } = words;
  const context = { api, t, has, namesOf, language, ...formats, navigate, signal, parameter, isSandbox };
  try {
    const end = await view.show(root, context);
    if (signal.aborted) end?.();
    else current.end = end;
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiError)) console.error(error);
    replace(root, fault(error));
  }
}

function fault(error) {
  return el(
    'div',
    { class: 'note bad', role: 'alert' },
    el('p', {}, explainFault(error, { t })),
    el('button', { class: 'button', type: 'button', click: () => showView() }, t('frame.again')),
  );
}

function navigate(hash) {
  if (location.hash === hash) showView();
  else location.hash = hash;
}

function showSignIn(sentence) {
  document.title = `${t('frame.signIn')} · ${t('frame.brand')}`;
  const said = el('p', { id: 'sign-in-said', class: 'field-said bad', role: 'alert' }, sentence ?? '');
  const input = el('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
    'aria-describedby': 'sign-in-said sign-in-hint',
  });
  const button = el('button', { class: 'button primary', type: 'submit' }, t('frame.signIn'));
  const form = el(
    'form',
    { class: 'card sign-in', submit },
    el('span', { class: 'brand' }, el('span', { class: 'brand-mark', 'aria-hidden': 'true' }), t('frame.brand')),
    el('h1', { id: 'heading' }, t('frame.signIn')),
    field('token', t('frame.token'), input, said),
    el('p', { id: 'sign-in-hint', class: 'hint' }, t('frame.tokenHint')),
    button,
  );
  replace(document.body, el('main', { class: 'sign-in-place', 'aria-labelledby': 'heading' }, form));
  input.focus();

  async function submit(event) {
    event.preventDefault();
    const token = input.value.trim();
    // What no header can carry is no token either.
    const isUsable = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(token);
    button.setAttribute('aria-disabled', 'true');
    said.textContent = '';
    const wrong = isUsable ? await tried(token) : t('frame.tokenRefused');
    button.removeAttribute('aria-disabled');
    if (wrong) {
      said.textContent = wrong;
      input.setAttribute('aria-invalid', 'true');
      input.select();
      input.focus();
      return;
    }
    sessionStorage.setItem(TOKEN, token);
    enter(token, { moveFocus: true });
  }
}

/** What speaks against a token. A service that answers anything but 401 has let it in. */
async function tried(token) {
  try {
    await createApi(token).get('/api/messages?limit=1');
  } catch (error) {
    if (error.status === 401) return t('frame.tokenRefused');
    if (error.status === 0) return t('frame.noAnswer');
  }
  return null;
}
