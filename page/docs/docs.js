// Shows /openapi.json. A token that is entered here is kept nowhere but in this page's memory.

const OPERATORS_LISTENER = '/';

/** Only what is on this very listener can be tried: the policy of this page lets nothing out to another one. */
function tryOnlyHere() {
  const allowTryItOutFor = (_, system) => (_state, path) =>
    system.specSelectors.specJson().getIn(['paths', path, 'servers', 0, 'url']) === OPERATORS_LISTENER;
  return { statePlugins: { spec: { wrapSelectors: { allowTryItOutFor } } } };
}

const SECRET_HEADERS = ['authorization', 'x-gwapi-signature'];
const SECRET_FIELDS = ['auth-bearer-value', 'api_key_value'];

/** Nobody who looks over a shoulder, or at a picture of this page, sees a token: neither typed nor in a command. */
function showNoSecret() {
  const hidden = (value, name) => (SECRET_HEADERS.includes(name.toLowerCase()) ? '…' : value);
  const withoutSecrets = (request) => request.update('headers', (headers) => headers?.map(hidden));
  const ofPassword = { type: 'password', autoComplete: 'off' };
  const changed = (change) => (Component, system) => (props) =>
    system.React.createElement(Component, { ...props, ...change(props) });
  return {
    wrapComponents: {
      curl: changed(({ request }) => ({ request: withoutSecrets(request) })),
      Input: changed(({ id }) => (SECRET_FIELDS.includes(id) ? ofPassword : {})),
    },
  };
}

const dark = matchMedia('(prefers-color-scheme: dark)');
function followTheme() {
  document.documentElement.classList.toggle('dark-mode', dark.matches);
}
dark.addEventListener('change', followTheme);
followTheme();

window.SwaggerUIBundle({
  url: 'openapi.json',
  domNode: document.getElementById('interface'),
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  plugins: [tryOnlyHere, showNoSecret],
  // Or it would ask a stranger's service whether the document is valid.
  validatorUrl: null,
});
