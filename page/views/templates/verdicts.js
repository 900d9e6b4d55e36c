// What the service says of texts. Each is asked about once, and an answer belongs to the question, whenever it comes.

import { pause } from '../../pause.js';

/** Milliseconds: long enough that a person who types does not ask the service for each letter. */
const PAUSE = 250;
/** Calls at a time: a file has dozens of texts, and the service has messages to send. */
const AT_ONCE = 4;
/** Milliseconds that an answer may take, and until a service that gave none is asked again. */
const LONGEST = 8_000;
const AGAIN = 3_000;
/** Besides those that are wanted: more than a person goes back to. */
const MOST_KEPT = 1_000;
/** Answers that judge the text. */
const REFUSALS = [400, 413, 422];

/** `onChange` is told of each answer, and of a service that gives none. */
export function createVerdicts({ api, signal }, { onChange }) {
  const answers = new Map();
  const underWay = new Map();
  /** Questions without an answer, with the time before which they are not asked again. */
  const failed = new Map();
  const ended = new AbortController();
  signal.addEventListener('abort', end);
  let wanted = new Set();
  let timer;
  /** At the last question that came back. */
  let isAway = false;
  let isResting = false;
  return { want, of: (question) => answers.get(JSON.stringify(question)), isAway: isStuck, end };

  /** What is asked from now on, the first one first; what is asked and no longer wanted is given up. */
  function want(questions) {
    wanted = new Set(questions.map((question) => JSON.stringify(question)));
    for (const [question, call] of underWay) {
      if (wanted.has(question)) continue;
      call.abort();
      underWay.delete(question);
    }
    for (const question of failed.keys()) if (!wanted.has(question) && !isEarly(question)) failed.delete(question);
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  function ask() {
    const open = openQuestions().filter((question) => !underWay.has(question));
    // What fails each time must not keep the others from being asked.
    const due = [...open.filter((question) => !failed.has(question)), ...open.filter(isDue)];
    for (const question of due) {
      // One call finds out whether a service that was away is back.
      if (underWay.size >= (isAway ? 1 : AT_ONCE)) break;
      call(question);
    }
    if (open.some(isEarly)) rest();
  }

  function openQuestions() {
    return [...wanted].filter((question) => !answers.has(question));
  }

  function isEarly(question) {
    return failed.get(question) > performance.now();
  }

  function isDue(question) {
    return failed.has(question) && !isEarly(question);
  }

  /** The service is away, or fails at all that is left. */
  function isStuck() {
    const open = openQuestions();
    return isAway || (open.length > 0 && open.every((question) => failed.has(question)));
  }

  async function call(question) {
    const controller = new AbortController();
    underWay.set(question, controller);
    const answer = await answerTo(question, controller.signal);
    if (controller.signal.aborted) return;
    underWay.delete(question);
    isAway = Boolean(answer.away);
    if (isAway) failed.set(question, performance.now() + AGAIN);
    else keep(question, answer);
    onChange();
    if (isAway) rest();
    else ask();
  }

  async function rest() {
    if (isResting) return;
    isResting = true;
    const next = Math.min(...openQuestions().filter(isEarly).map((question) => failed.get(question)));
    await pause(Number.isFinite(next) ? next - performance.now() : AGAIN, ended.signal, { seen: true });
    isResting = false;
    if (!ended.signal.aborted) ask();
  }

  async function answerTo(question, signal) {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(LONGEST)]);
      return { preview: await api.post('/api/preview', JSON.parse(question), { signal: limited }) };
    } catch (error) {
      if (REFUSALS.includes(error.status)) return { refusal: error };
      // Asked again, it would say the same.
      const isSettled = error.status >= 400 && error.status < 500 && error.status !== 429;
      return isSettled ? { unjudged: error } : { away: error };
    }
  }

  function keep(question, answer) {
    failed.delete(question);
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
