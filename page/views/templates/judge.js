// Judges the texts of template files with what the service says of them.

import { answersOf, faultsOfText, questionsOf } from '../../judgement.js';
import { createVerdicts } from './verdicts.js';

/** `loaded` is the answer of `GET /api/templates`, which judges many texts already. `onChange` as of createVerdicts. */
export function createJudge(loaded, context, { onChange }) {
  const verdicts = createVerdicts(context, { onChange });
  const told = new Map(answersOf(loaded).map(([question, answer]) => [JSON.stringify(question), answer]));
  const answerTo = (question) => verdicts.of(question) ?? told.get(JSON.stringify(question));
  return { ask, questions, faults, isOpen, answer: verdicts.of, isAway: verdicts.isAway, end: verdicts.end };

  /** What is asked about a text of a file. */
  function questions(file, text) {
    return questionsOf(file, text, loaded.default_locale);
  }

  /** Has each text of these files judged, and before them `previews` answered in full. */
  function ask(files, previews = []) {
    const open = files.flatMap(questionsOfFile).filter((question) => !answerTo(question));
    verdicts.want([...previews, ...open]);
  }

  function questionsOfFile(file) {
    return file.texts.flatMap((text) => questions(file, text));
  }

  /** Not all of its texts have been judged. */
  function isOpen(file) {
    return !questionsOfFile(file).every(answerTo);
  }

  /** What is wrong with the texts of a file as they are now, wherever edits around them have moved them. */
  function faults(file) {
    return file.texts.flatMap((text) => {
      const answered = questions(file, text).filter(answerTo);
      const found = faultsOfText(answered, answered.map(answerTo), loaded.max_segments);
      const { locale = '', from, to } = text;
      return found.map((fault) => ({ ...fault, values: { ...fault.values, locale }, from, to }));
    });
  }
}

/** The faults of a file and of its texts, each once: what a text lacks may be seen in it, and in what it says. */
export function inOrder(...lists) {
  const key = ({ word, values, detail, from }) => `${word} ${from} ${values.name} ${detail}`;
  const once = new Map(lists.flat().map((fault) => [key(fault), fault]));
  return [...once.values()].sort((one, other) => one.from - other.from);
}
