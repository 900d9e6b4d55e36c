// Judges the texts of a template file by what they say in usual requests, as the service does when it loads them
// (`render_samples` in src/templates.rs).
import { unfilled } from './template-file.js';

/** As `samples` in src/templates.rs. */
const CODE = { code: '123456' };
const LINK = { link: 'example.com' };

/** Which of the usual requests a question is about. */
export function requestOf({ payload }) {
  return payload.code ? 'code' : 'link';
}

/** What to ask `POST /api/preview` about a text: what it says in each usual request. */
export function questionsOf({ usageType, syntax }, { text, locale }, defaultLocale) {
  if (text.trim() === '') return [];
  const samples = usageType === 'OrganizationInvitation' ? [CODE, LINK] : [CODE];
  return samples.map((payload) => ({
    content: text,
    syntax: syntax === 'handlebars' ? 'handlebars' : 'logto',
    locale: locale ?? defaultLocale,
    payload,
  }));
}

/** What `GET /api/templates` tells already: pairs of a question and the answer to it, as createVerdicts has them. */
export function answersOf({ usage_types: usageTypes, default_locale: defaultLocale }) {
  return usageTypes.flatMap(({ type, templates }) =>
    templates.flatMap(({ content, locale, syntax, samples }) => {
      const questions = questionsOf({ usageType: type, syntax }, { text: content, locale }, defaultLocale);
      if (questions.length !== samples.length) return [];
      return questions.map((question, index) => [question, { preview: samples[index] }]);
    }),
  );
}

/** What is wrong with a text whose questions have these answers, as [{ severity, word, values, detail }]. */
export function faultsOfText(questions, answers, maxSegments) {
  const found = answers.flatMap((answer, index) => {
    if (answer.refusal) return [refused(answer.refusal)];
    if (answer.unjudged) return [{ severity: 'warning', word: 'warning_unjudged', values: {}, detail: answer.unjudged.message }];
    return oddities(questions[index], answer.preview);
  });
  found.push(...valuesMissing(questions, answers));
  const count = Math.max(0, ...answers.map(({ preview }) => preview?.segments ?? 0));
  if (count > maxSegments) {
    found.push({ severity: 'error', word: 'fault_too_many_segments', values: { count, most: maxSegments } });
  }
  return [...new Map(found.map((fault) => [JSON.stringify(fault), fault])).values()];
}

function refused(error) {
  // The service says which text, too, which the page knows better.
  const detail = error.message.replace(/^(the given text, usage type|template) Generic, locale [^:]*: /, '');
  const [, name] = detail.match(/`([^`]+)` has no value/) ?? [];
  if (name) return { severity: 'error', word: 'fault_no_value', values: { name }, detail };
  const word = detail.includes('invalid handlebars syntax') ? 'fault_handlebars' : 'fault_refused';
  return { severity: 'error', word, values: {}, detail };
}

function oddities({ payload }, { text }) {
  if (!payload.code || text.includes(payload.code)) return [];
  return [{ severity: 'warning', word: 'warning_no_code', values: {} }];
}

/** Names that have no value in any usual request, or not in one of them. */
function valuesMissing(questions, answers) {
  const left = questions.map(({ syntax }, index) => {
    const { preview } = answers[index];
    return preview && syntax === 'logto' ? unfilled(preview.text) : [];
  });
  return questions.flatMap((question, index) =>
    left[index].map((name) => {
      const isEverywhere = left.every((names) => names.includes(name));
      const word = isEverywhere ? 'warning_unfilled' : `warning_unfilled_with_${requestOf(question)}`;
      return { severity: 'warning', word, values: { name } };
    }),
  );
}
