// The operators' interface.

/** An answer that is not 2xx, with its problem details (RFC 9457). Status 0: there was no answer. */
export class ApiError extends Error {
  constructor(status, problem = {}, retryAfter = null) {
    super(problem.detail ?? `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
    /** Seconds. */
    this.retryAfter = retryAfter;
  }
}

/**
 * Calls the interface with a token. `onUnauthorized` is told when the token is refused, and `onSandbox` with each answer
 * whether a sandbox gave it. Each call takes a signal that ends it.
 */
export function createApi(token, { onUnauthorized = () => {}, onSandbox = () => {} } = {}) {
  async function call(path, { method = 'GET', body, signal, accept = 'application/json' } = {}) {
    const headers = { Accept: accept, Authorization: `Bearer ${token}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let response;
    try {
      response = await fetch(address(path), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
    } catch (error) {
      throw unlessEnded(error, signal);
    }
    if (response.ok) {
      // Errors may be a proxy's.
      if (path.startsWith('/api/')) onSandbox(response.headers.has('X-Sandbox'));
      return response;
    }
    const error = new ApiError(response.status, await problemOf(response), seconds(response.headers.get('Retry-After')));
    if (error.status === 401) onUnauthorized(error);
    throw error;
  }

  async function read(response, as, signal) {
    try {
      return await response[as]();
    } catch (error) {
      throw unlessEnded(error, signal);
    }
  }

  return {
    /** An answer's JSON. */
    get: async (path, { signal } = {}) => read(await call(path, { signal }), 'json', signal),
    post: async (path, body, { signal } = {}) => read(await call(path, { method: 'POST', body, signal }), 'json', signal),
    /** An answer as it is, `/metrics` for instance. */
    text: async (path, { signal } = {}) => read(await call(path, { signal, accept: '*/*' }), 'text', signal),
    /** Server-sent events: `onState` gets the data of each `state`, until the service ends the stream. */
    async stream(path, onState, signal) {
      const response = await call(path, { signal, accept: 'text/event-stream' });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let unread = '';
      for (;;) {
        let part;
        try {
          part = await reader.read();
        } catch (error) {
          throw unlessEnded(error, signal);
        }
        if (part.done) return;
        const events = (unread + part.value).split('\n\n');
        unread = events.pop();
        for (const event of events) {
          const { name, text } = parseEvent(event);
          if (name === 'state') onState(JSON.parse(text));
        }
      }
    },
  };
}

/** Below the page's own address, also where a proxy serves it under a path. */
function address(path) {
  return new URL(path.replace(/^\//, ''), document.baseURI);
}

/** A call that was ended on purpose stays an `AbortError`; any other is a service that did not answer. */
function unlessEnded(error, signal) {
  return signal?.aborted ? error : new ApiError(0, { detail: 'no answer' });
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    return typeof problem === 'object' && problem !== null ? problem : {};
  } catch {
    return {};
  }
}

function seconds(text) {
  const value = Number(text ?? NaN);
  return Number.isFinite(value) ? value : null;
}

function parseEvent(event) {
  const found = { name: 'message', text: '' };
  for (const line of event.split('\n')) {
    if (line.startsWith('event:')) found.name = line.slice(6).trim();
    if (line.startsWith('data:')) found.text += line.slice(5).trimStart();
  }
  return found;
}
