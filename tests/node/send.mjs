import { once } from 'node:events';
import { createInterface } from 'node:readline';
import createConnector from '@logto/connector-http-sms';
import { ConnectorError } from '@logto/connector-kit';

const input = createInterface({ input: process.stdin });
const [line] = await once(input, 'line');
input.close();

const { endpoint, authorization, messages, parallel } = JSON.parse(line);
const connector = await createConnector({
  // The connector's guard takes an absent authorization, but not null.
  getConfig: async () => ({ endpoint, authorization: authorization ?? undefined }),
});

const send = async (message) => {
  try {
    await connector.sendMessage(message);
    return { ok: true };
  } catch (error) {
    if (!(error instanceof ConnectorError)) {
      throw error;
    }
    return { ok: false, code: error.code, message: error.data?.message ?? error.message };
  }
};

const sendInTurn = async () => {
  const results = [];
  for (const message of messages) {
    results.push(await send(message));
  }
  return results;
};

const results = parallel ? await Promise.all(messages.map(send)) : await sendInTurn();
console.log(JSON.stringify(results));
