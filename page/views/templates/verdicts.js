// What the service says of texts. Each is asked about once, and an answer belongs to the question, whenever it comes.

import { pause } from '../../pause.js';

/** Milliseconds: long enough that a person who types does not ask the service for each letter. */
const PAUSE = 250;
/** Calls at a time: a file has dozens of texts, and the service has messages to send. */
const AT_ONCE = 4;
/** Milliseconds until a service that gave no answer is asked again. */
const AGAIN = 3_000;
/** Besides those that are wanted: more than a person goes back to. */
const MOST_KEPT = 1_000;
/** Answers that judge the text. Any other says nothing about it. */
const REFUSALS = [400, 413, 422];

/** `onChange` is told of each answer, and of a service that gives none. */
export function createVerdicts({ api, signal }, { onChange }) {
  const answers = new Map();
  const underWay = new Map();
  const ended = new AbortController();
  signal.addEventListener('abort', end);
  let wanted = new Set();
  let timer;
  let isAway = false;
  let isResting = false;
  return { want, of: (question) => answers.get(JSON.stringify(question)), isAway: () => isAway, end };

  /** What is asked from now on, the first one first; what is asked and no longer wanted is given up. */
  function want(questions) {
    wanted = new Set(questions.map((question) => JSON.stringify(question)));
    for (const [question, call] of underWay) {
      if (wanted.has(question)) continue;
      call.abort();
      underWay.delete(question);
    }
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  function ask() {
    for (const question of wanted) {
      // One call finds out whether a service that was away is back.
      if (underWay.size >= (isAway ? 1 : AT_ONCE)) return;
      if (!answers.has(question) && !underWay.has(question)) call(question);
    }
  }

  async function call(question) {
    const controller = new AbortController();
    underWay.set(question, controller);
    const answer = await answerTo(question, controller.signal);
    if (controller.signal.aborted) return;
    underWay.delete(question);
    isAway = Boolean(answer.away);
    if (!isAway) keep(question, answer);
    onChange();
    if (isAway) await rest();
    else ask();
  }

  async function rest() {
    if (isResting) return;
    isResting = true;
    await pause(AGAIN, ended.signal, { seen: true });
    isResting = false;
    if (!ended.signal.aborted) ask();
  }

  async function answerTo(question, signal) {
    try {
      return { preview: await api.post('/api/preview', JSON.parse(question), { signal }) };
    } catch (error) {
      return REFUSALS.includes(error.status) ? { refusal: error } : { away: error };
    }
  }

  function keep(question, answer) {
    answers.set(question, answer);
    if (answers.size <= MOST_KEPT) return;
    const oldest = [...answers.keys()].find((kept) => !wanted.has(kept));
    if (oldest) answers.delete(oldest);
  }

  function end() {
    ended.abort();
    clearTimeout(timer);
    for (const call of underWay.values()) call.abort();
    signal.removeEventListener('abort', end);
  }
}
