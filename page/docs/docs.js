// Shows /openapi.json. A token that is entered here is kept nowhere but in this page's memory.

const OPERATORS_LISTENER = '/';

/** Only what is on this very listener can be tried: the policy of this page lets nothing out to another one. */
function tryOnlyHere() {
  const allowTryItOutFor = (_, system) => (_state, path) =>
    system.specSelectors.specJson().getIn(['paths', path, 'servers', 0, 'url']) === OPERATORS_LISTENER;
  return { statePlugins: { spec: { wrapSelectors: { allowTryItOutFor } } } };
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
  plugins: [tryOnlyHere],
  // Or it would ask a stranger's service whether the document is valid.
  validatorUrl: null,
});
