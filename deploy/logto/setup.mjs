// Sets Logto up for a first sign-in: the HTTP SMS connector, phone number and code as the way in, and the web app.
//
// It adds what is missing: each step looks first, and what somebody made or changed in the Console stays. What was deleted, or
// put back to Logto's seed, looks like a new Logto, and is made again. So it runs at every start, and again after it was cut off
// anywhere. It needs no package, only the Node of Logto's image. Addresses and bodies are those of Logto 1.42's Management
// API (packages/core/src/routes).

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

// Where browsers find Logto is another matter: by these it knows its tenants, and it is in the same network namespace.
const API = 'http://localhost:3001/api';
const TOKENS = 'http://localhost:3002/oidc/token';
const RESOURCE = 'https://default.logto.app/api';

const { APP_BASE_URL, APP_FOLDER, SMS_ENDPOINT } = process.env;
const PATIENCE = Number(process.env.PATIENCE_SECONDS ?? 120) * 1000;
const deadline = Date.now() + PATIENCE;

/** Logto's no, or a fault here, which no waiting mends. */
class Refused extends Error {}

/** No answer, or "not now". Whether a change was made is then unknown: its step has to look again. */
class Unsettled extends Error {}

const say = console.log;

/** While one is being replaced its file has a line for each that is valid, the newest last. */
function secretLines(variable) {
  const lines = readFileSync(process.env[variable], 'utf8').split('\n').map((line) => line.trim()).filter(Boolean);
  if (lines.length === 0) throw new Refused(`${process.env[variable]} is empty: run deploy/secrets.sh`);
  return lines;
}

/** An answer's JSON. Of a refusal only Logto's code is told: its text may quote what was sent, which holds secrets. */
async function call(what, url, options) {
  let answer, body;
  try {
    answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000), ...options });
    body = await answer.text();
  } catch {
    throw new Unsettled(`Logto does not answer at ${new URL(url).origin}`);
  }
  let json;
  try {
    json = JSON.parse(body);
  } catch {
    if (answer.ok) throw new Unsettled(`Logto answered something else than JSON to ${what}`);
  }
  if (answer.ok) return json;
  if (answer.status >= 500 || answer.status === 429) throw new Unsettled(`Logto answered ${answer.status} to ${what}`);
  const code = [json?.code, json?.error].find((value) => /^[\w.]+$/.test(value ?? '')) ?? 'no reason given';
  throw new Refused(`Logto refuses ${what}: ${answer.status}, ${code}`);
}

/** Does a step until Logto has answered, within the patience. */
async function settle(step) {
  for (let told; ; ) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof Unsettled)) throw error;
      if (Date.now() > deadline) throw new Refused(`${error.message}, for ${PATIENCE / 1000} s`);
      if (told !== error.message) say(`${error.message}; trying again`);
      told = error.message;
      await pause(500);
    }
  }
}

/** The Management API, for as long as a token is valid: an hour. */
async function managementApi() {
  const key = Buffer.from(`m-default:${secretLines('LOGTO_SETUP_KEY_FILE').at(-1)}`).toString('base64');
  const { access_token: token } = await call('the key of deploy/logto/key.sh', TOKENS, {
    method: 'POST',
    headers: { authorization: `Basic ${key}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'all' }),
  });
  return (method, path, body) =>
    call(`${method} ${path.replace(/\?.*/, '')}`, `${API}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
}

/** One SMS connector at most: Logto would delete another one when ours is made. */
async function connect(api) {
  const valid = secretLines('LOGTO_AUTHORIZATION_FILE');
  const config = { endpoint: SMS_ENDPOINT, authorization: valid.at(-1) };
  const there = (await api('GET', '/connectors')).find(({ type }) => type === 'Sms');
  if (!there) {
    await api('POST', '/connectors', { connectorId: 'http-sms', config });
    say(`connector: HTTP SMS, to ${SMS_ENDPOINT}`);
  } else if (there.connectorId !== 'http-sms' || there.config.endpoint !== config.endpoint) {
    say('connector: Logto has another SMS connector, which stays');
  } else if (!valid.includes(there.config.authorization)) {
    say('connector: HTTP SMS stays as it is, but its authorization is not in deploy/secrets/logto_authorization');
  } else {
    say('connector: HTTP SMS is there already');
  }
}

const BY_PHONE = {
  signUp: { identifiers: ['phone'], password: false, verify: true },
  signIn: { methods: [{ identifier: 'phone', password: false, verificationCode: true, isPasswordPrimary: false }] },
};

/** What Logto's seed makes: user name and password. */
function isSeeded({ signUp, signIn }) {
  const [method, ...others] = signIn.methods;
  return (
    String(signUp.identifiers) === 'username' && signUp.password && !signUp.verify && !signUp.secondaryIdentifiers?.length &&
    others.length === 0 && method?.identifier === 'username' && method.password && !method.verificationCode
  );
}

/** Whether people can sign in with phone number and code now. */
async function signInByPhone(api) {
  const experience = await api('GET', '/sign-in-exp');
  if (experience.signIn.methods.some(({ identifier, verificationCode }) => identifier === 'phone' && verificationCode)) {
    say('sign-in: phone number and code are there already');
  } else if (!isSeeded(experience)) {
    say('sign-in: it was changed in the Console, and stays');
    return false;
  } else if ((await api('GET', '/users?page=1&page_size=1')).length > 0) {
    say('sign-in: Logto has users, who sign in with a password, so it stays');
    return false;
  } else {
    await api('PATCH', '/sign-in-exp', BY_PHONE);
    say('sign-in: phone number and code');
  }
  return true;
}

/** The web app's address, as browsers and the app write it: no capitals, and no port that is the scheme's own. */
function appAddress() {
  const isAddress = /^https?:\/\/[^?#]+$/i.test(APP_BASE_URL) && URL.canParse(APP_BASE_URL);
  if (!isAddress) {
    throw new Refused(`APP_BASE_URL is ${APP_BASE_URL}: it has to be an address, http://… or https://…, without ? and #`);
  }
  return new URL(APP_BASE_URL).href.replace(/\/+$/, '');
}

/** The application that may send people back to the web app, whoever made it; its secrets are on a path of their own. */
async function application(api, base) {
  const callback = `${base}/callback`;
  const there = (await api('GET', '/applications?types=Traditional')).find(
    ({ isThirdParty, oidcClientMetadata }) => !isThirdParty && oidcClientMetadata.redirectUris.includes(callback),
  );
  const app =
    there ??
    (await api('POST', '/applications', {
      name: 'First sign-in',
      description: 'The web app of docs/first-sign-in.md',
      type: 'Traditional',
      oidcClientMetadata: { redirectUris: [callback], postLogoutRedirectUris: [`${base}/`] },
    }));
  const secrets = `/applications/${encodeURIComponent(app.id)}/secrets`;
  const valid = (await api('GET', secrets)).filter(({ expiresAt }) => !expiresAt || expiresAt > Date.now());
  const { value } =
    valid.find(({ expiresAt }) => !expiresAt) ?? valid[0] ??
    (await api('POST', secrets, { name: `First sign-in, ${new Date().toISOString()}` }));
  say(`application: ${there ? 'one is there already' : 'First sign-in'}, for ${base}`);
  return { id: app.id, secret: value };
}

/** Each file whole or not at all. */
function handOver(app) {
  for (const [name, value] of Object.entries(app)) {
    const file = `${APP_FOLDER}/${name}`;
    try {
      rmSync(`${file}.new`, { force: true });
      writeFileSync(`${file}.new`, `${value}\n`, { mode: 0o444 });
      renameSync(`${file}.new`, file);
    } catch ({ code }) {
      throw new Refused(`the web app's ${name} can't be written to deploy/secrets/logto_app: ${code}; run deploy/secrets.sh`);
    }
  }
}

// The first process of a container has to heed it by itself.
process.once('SIGTERM', () => process.exit(143));
try {
  const base = appAddress();
  const api = await settle(managementApi);
  await settle(() => connect(api));
  const byPhone = await settle(() => signInByPhone(api));
  handOver(await settle(() => application(api, base)));
  say(
    byPhone
      ? `ready: sign in at ${base}, with a phone number and a code`
      : 'not ready: nobody signs in with phone number and code: docs/first-sign-in.md, By hand',
  );
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
