// Starts the service with its simulated GatewayAPI.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const TOKEN = 'sandbox-operator-token';

/** From wherever it is started. */
export const BINARY = resolve(
  process.env.SMS_TEST_BINARY ?? fileURLToPath(new URL('../../target/debug/gatewayapi-sms-connector', import.meta.url)),
);

/**
 * A sandbox on free ports, with settings from `environment` (`SMS_LIMITS__DENY: '+4526*'`) and the simulated
 * GatewayAPI's `latency`.
 */
export async function startSandbox({ environment = {}, latency = '20ms' } = {}) {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: cargo build --locked`);
  const { PATH, HOME } = process.env;
  const child = spawn(BINARY, ['sandbox', '--latency', latency], {
    env: {
      PATH,
      HOME,
      SMS_SERVER__LISTEN: '127.0.0.1:0',
      SMS_OPERATOR__LISTEN: '127.0.0.1:0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const [operator, service] = await new Promise((resolve, reject) => {
    function read(part) {
      output += part;
      const found = output.match(/http:\/\/(\S+)\/metrics/);
      const send = output.match(/http:\/\/(\S+)\/send/);
      if (found && send) resolve([found[1], send[1]]);
    }
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the sandbox ended with ${code}:\n${output}`)));
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));

  return {
    /** Of the operator listener. */
    url: `http://${operator}/`,
    /** Of the listener that faces the world. */
    publicUrl: `http://${service}/`,
    /** What it printed until now. */
    output: () => output,
    /** Calls the operators' interface past the page. */
    async api(path, body) {
      const response = await fetch(`http://${operator}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return { status: response.status, body: isJson ? JSON.parse(text) : text };
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
