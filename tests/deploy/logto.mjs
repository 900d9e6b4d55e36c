// A stand-in of Logto, for setup.mjs: its token endpoint and the part of the Management API that is asked.
//
//     node logto.mjs PSQL DATABASE_URL
//
// Bodies are checked by Logto's own guards, from its packages; keys that they would drop in silence are refused here. Client
// credentials, roles and scopes are looked up in a database that Logto's own seed has made, as the tenant admin's role. What
// it holds is read and set at /state; `faults` there make it misbehave: each once, at the next request that fits.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import createHttpSms from '@logto/connector-http-sms';
import {
  applicationCreateGuard, applicationResponseGuard, ApplicationSecrets, ConnectorType, Connectors, connectorResponseGuard,
  createDefaultSignInExperience, SignInExperiences,
} from '@logto/schemas';

const [psql, database] = process.argv.slice(2);
const httpSms = await createHttpSms({});
const token = randomBytes(16).toString('hex');
const state = {
  connectors: [],
  applications: [],
  secrets: [],
  users: [],
  experience: createDefaultSignInExperience('default', false),
  faults: [],
  requests: [],
};

class RequestError extends Error {
  constructor(status, code, text = code) {
    super(text);
    Object.assign(this, { status, code });
  }
}

function assertThat(condition, code, status = 400) {
  if (!condition) throw new RequestError(status, code);
}

function guarded(guard, body) {
  const { success, data, error } = guard.safeParse(body);
  // As Logto's own does, its text quotes what was sent.
  if (!success) throw new RequestError(400, 'guard.invalid_input', `${error.message} ${JSON.stringify(body)}`);
  return data;
}

function query(text, values) {
  const settings = Object.entries(values).map(([name, value]) => `--set=${name}=${value ?? ''}`);
  const options = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1'];
  return execFileSync(psql, [...options, ...settings, database], { input: text, encoding: 'utf8' }).trim();
}

// core/src/queries/application-secrets.ts: findByCredentials; and the scopes that an application's roles give it.
const EXPIRED = `select coalesce(s.expires_at < now(), false) from application_secrets s
  join applications a on a.id = s.application_id where a.id = :'id' and s.value = :'secret';`;
const SCOPE = `select s.name from applications_roles join roles_scopes using (role_id) join scopes s on s.id = scope_id
  join resources r on r.id = s.resource_id where application_id = :'id' and r.indicator = :'resource' and s.name = :'scope';`;

function giveToken(request, body) {
  const sent = new URLSearchParams(body);
  const [id, secret] = Buffer.from(request.headers.authorization.replace('Basic ', ''), 'base64').toString().split(':');
  const expired = query(EXPIRED, { id, secret });
  assertThat(expired, 'invalid_client', 401);
  assertThat(expired === 'f', 'invalid_request');
  assertThat(sent.get('grant_type') === 'client_credentials', 'unsupported_grant_type');
  assertThat(query(SCOPE, { id, resource: sent.get('resource'), scope: sent.get('scope') }) === 'all', 'invalid_target');
  return { access_token: token, expires_in: 3600, token_type: 'Bearer', scope: 'all' };
}

const applicationGuard = applicationCreateGuard.omit({ protectedAppMetadata: true }).strict();
const secretGuard = ApplicationSecrets.createGuard.pick({ name: true, expiresAt: true }).strict();
const connectorGuard = Connectors.createGuard
  .pick({ config: true, connectorId: true, metadata: true, syncProfile: true })
  .merge(Connectors.createGuard.pick({ id: true }).partial())
  .strict();
const experienceGuard = SignInExperiences.createGuard.omit({ id: true }).partial().strict();

function addSecret(applicationId, name) {
  const secret = { tenantId: 'default', applicationId, name, value: randomBytes(16).toString('hex'), createdAt: Date.now(), expiresAt: null };
  assertThat(!state.secrets.some((other) => other.applicationId === applicationId && other.name === name), 'entity.create_failed', 422);
  state.secrets.push(ApplicationSecrets.guard.parse(secret));
  return secret;
}

function application(id) {
  const found = state.applications.find((each) => each.id === id);
  assertThat(found, 'entity.not_exists_with_id', 404);
  return found;
}

// core/src/libraries/sign-in-experience/sign-up.ts and sign-in.ts, for what is asked here.
function validate({ signUp, signIn }) {
  const byCode = signIn.methods.filter(({ verificationCode }) => verificationCode).map(({ identifier }) => identifier);
  const sms = state.connectors.some(({ type }) => type === ConnectorType.Sms);
  assertThat(sms || ![...signUp.identifiers, ...byCode].includes('phone'), 'sign_in_experiences.enabled_connector_not_found');
  assertThat(signUp.verify || !signUp.identifiers.includes('phone'), 'sign_in_experiences.passwordless_requires_verify');
  assertThat(signUp.password || !signUp.identifiers.includes('username'), 'sign_in_experiences.username_requires_password');
  for (const identifier of signUp.identifiers) {
    const there = signIn.methods.some((method) => method.identifier === identifier);
    assertThat(there, 'sign_in_experiences.miss_sign_up_identifier_in_sign_in');
  }
  assertThat(signIn.methods.every((method) => method.password || method.verificationCode), 'sign_in_experiences.at_least_one_authentication_factor');
  assertThat(!signUp.password || signIn.methods.every(({ password }) => password), 'sign_in_experiences.password_sign_in_must_be_enabled');
}

const routes = {
  'GET /api/connectors': () => connectorResponseGuard.array().parse(state.connectors),
  'POST /api/connectors': ({ body }) => {
    const sent = guarded(connectorGuard, body);
    assertThat(sent.connectorId === httpSms.metadata.id, 'connector.not_found_with_connector_id', 422);
    guarded(httpSms.configGuard, sent.config);
    assertThat(!state.connectors.some(({ connectorId }) => connectorId === sent.connectorId), 'connector.multiple_instances_not_supported', 422);
    const connector = {
      id: randomBytes(6).toString('hex'), syncProfile: false, enableTokenStorage: false, ...httpSms.metadata,
      type: httpSms.type, metadata: {}, connectorId: sent.connectorId, config: sent.config,
    };
    // It takes the place of any other one of its type.
    state.connectors = [...state.connectors.filter(({ type }) => type !== connector.type), connector];
    return connectorResponseGuard.parse(connector);
  },
  'GET /api/sign-in-exp': () => state.experience,
  'PATCH /api/sign-in-exp': ({ body }) => {
    const changed = { ...state.experience, ...guarded(experienceGuard, body) };
    validate(changed);
    return (state.experience = changed);
  },
  'GET /api/users': ({ url }) => state.users.slice(0, Number(url.searchParams.get('page_size') ?? 20)),
  'GET /api/applications': ({ url }) => state.applications.filter(({ type }) => url.searchParams.getAll('types').includes(type)),
  'POST /api/applications': ({ body }) => {
    const { oidcClientMetadata, ...sent } = guarded(applicationGuard, body);
    const made = applicationResponseGuard.parse({
      tenantId: 'default', id: randomBytes(10).toString('hex'), description: null, customClientMetadata: {}, customData: {},
      protectedAppMetadata: null, isThirdParty: false, appLevelAccessControlEnabled: false, createdAt: Date.now(), ...sent,
      oidcClientMetadata: { redirectUris: [], postLogoutRedirectUris: [], ...oidcClientMetadata },
    });
    state.applications.push(made);
    addSecret(made.id, 'Default secret');
    return made;
  },
  'GET /api/applications/:id/secrets': ({ id }) => state.secrets.filter(({ applicationId }) => applicationId === application(id).id),
  'POST /api/applications/:id/secrets': ({ id, body }) => addSecret(application(id).id, guarded(secretGuard, body).name),
  'GET /state': () => ({ ...state, httpSms: { id: httpSms.metadata.id } }),
  'PUT /state': ({ body }) => Object.assign(state, body),
};

/** By the address that Logto is asked by, it knows the tenant (core/src/utils/tenant.ts). */
function answer(request, url, body) {
  if (url.origin === 'http://localhost:3002' && request.method === 'POST' && url.pathname === '/oidc/token') return giveToken(request, body);
  assertThat(url.origin === 'http://localhost:3001', 'entity.not_found', 404);
  const [, id] = /^\/api\/applications\/([^/]+)\//.exec(url.pathname) ?? [];
  const route = routes[`${request.method} ${id ? url.pathname.replace(id, ':id') : url.pathname}`];
  assertThat(route, 'entity.not_found', 404);
  if (url.pathname.startsWith('/api/')) assertThat(request.headers.authorization === `Bearer ${token}`, 'auth.unauthorized', 401);
  return route({ url, id, body: body && JSON.parse(body) });
}

function fault(line) {
  const index = state.faults.findIndex(({ at }) => at === line);
  return index < 0 ? {} : state.faults.splice(index, 1)[0];
}

async function serve(request, response) {
  let body = '';
  for await (const chunk of request) body += chunk;
  const url = new URL(request.url, `http://${request.headers.host}`);
  const line = `${request.method} ${url.pathname}`;
  const { does } = url.pathname === '/state' ? {} : fault(line);
  let status = 200;
  let json;
  try {
    assertThat(does !== 'refuse', 'entity.refused', 422);
    json = does === 'busy' ? undefined : answer(request, url, body);
  } catch (error) {
    if (!(error instanceof RequestError)) console.error(error);
    status = error.status ?? 500;
    json = { code: error.code, message: `${error.message} ${body}` };
  }
  if (url.pathname !== '/state') state.requests.push(`${line} ${does ?? status}`);
  const text = JSON.stringify(json) ?? '';
  const half = text.slice(0, text.length / 2);
  if (does === 'busy') response.writeHead(503).end('<h1>not ready</h1>');
  else if (does === 'lose') request.socket.destroy();
  else if (does === 'cut') response.writeHead(status, { 'content-length': text.length }).write(half, () => request.socket.destroy());
  else if (does === 'half') response.writeHead(status).end(half);
  else if (does !== 'hang') response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

for (const port of [3001, 3002]) await new Promise((resolve) => createServer(serve).listen(port, resolve));
console.log('listens at 3001 and 3002');
