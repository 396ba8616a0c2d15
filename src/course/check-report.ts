/** What `tslab check` says of a grade: to people, and to programs. */
import type { CatalogLesson } from './catalog.ts';
import type { Outcome } from './check.ts';
import type { Grade, Graded } from './grade.ts';
import type { Language } from './lesson.ts';
import type { Screen } from './screen.ts';
import type { Session } from './session.ts';
import type { Words } from './words.ts';

/** A host that can't show something is not the learner's fault. */
export const passes = ({ problem, checks }: Grade): boolean =>
  !problem && checks.every(({ outcome }) => ['pass', 'skip'].includes(outcome.outcome));

/** The shape for programs: stable; fields are only ever added. */
export function report(lesson: CatalogLesson, file: string, grade: Grade, language: Language): object {
  const { checks, problem } = grade;
  return {
    lesson: lesson.id,
    number: lesson.number,
    file,
    ok: passes(grade),
    problem: problem ?? null,
    counts: counts(checks),
    checks: checks.map(({ check, outcome }) => ({
      id: check.id,
      title: check.title[language],
      ...inLanguage(outcome, language),
      why: check.why[language],
      look: check.look[language],
    })),
  };
}

function inLanguage(outcome: Outcome, language: Language): object {
  if (outcome.outcome === 'fail') return { ...outcome, expected: outcome.expected[language] };
  if (outcome.outcome === 'skip') return { ...outcome, reason: outcome.reason[language] };
  return outcome;
}

/** `brief`: what is wrong with the first that fails; the others are often its consequences. */
export function printGrade(
  file: string,
  result: Grade,
  session: Session,
  screen: Screen,
  lesson: CatalogLesson,
  brief: boolean,
): void {
  const { words } = session;
  screen.print(`${words.checking(file)}\n`);
  if (result.problem) printProblem(file, result.problem, words, screen, lesson);
  const first = result.checks.find(({ outcome }) => !['pass', 'skip'].includes(outcome.outcome));
  for (const graded of result.checks) printCheck(graded, !brief || graded === first, session, screen);
  if (result.printed) {
    screen.print(`\n${words.printed}:`);
    screen.code(result.printed.trimEnd());
  }
  if (!result.problem) screen.print(`\n${words.summary(counts(result.checks))}`);
}

/** A lesson that was passed before, in one line; and what is wrong there now. */
export function printEarlier(
  lesson: CatalogLesson,
  title: string,
  result: Grade,
  session: Session,
  screen: Screen,
): void {
  const { words, language } = session;
  screen.item(passes(result) ? 'pass' : 'fail', `${lesson.number} · ${title}`);
  if (passes(result)) return;
  const wrong = result.checks.filter(({ outcome }) => !['pass', 'skip'].includes(outcome.outcome));
  for (const { check } of wrong) screen.item('none', `  ${check.title[language]}`);
  screen.item('none', words.seeCheck(String(lesson.number)));
}

function printProblem(
  file: string,
  problem: NonNullable<Grade['problem']>,
  words: Words,
  screen: Screen,
  lesson: CatalogLesson,
): void {
  if (problem.code === 'missing') {
    screen.item('fail', words.noFile(file, String(lesson.number)));
    return;
  }
  const place = [file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  screen.item('fail', `${place}\n${words.problem[problem.code]}:\n${problem.message}`);
}

function printCheck(
  { check, outcome }: Graded,
  details: boolean,
  { words, language }: Session,
  screen: Screen,
): void {
  screen.item(
    outcome.outcome,
    screen.style(outcome.outcome === 'pass' ? 'reset' : 'bold', check.title[language]),
  );
  const line = (label: string, text: string) =>
    screen.item('none', `${screen.style('dim', `${label}:`)} ${text}`);
  if (!details) return;
  if (outcome.outcome === 'skip') line(words.reason, outcome.reason[language]);
  if (outcome.outcome === 'error') line(words.reason, outcome.reason);
  if (outcome.outcome !== 'fail') return;
  line(words.expected, outcome.expected[language]);
  line(words.shown, outcome.shown);
  line(words.why, check.why[language]);
  line(words.look, check.look[language]);
}

function counts(checks: readonly Graded[]): Record<Outcome['outcome'], number> {
  const result = { pass: 0, fail: 0, skip: 0, error: 0 };
  for (const { outcome } of checks) result[outcome.outcome]++;
  return result;
}
