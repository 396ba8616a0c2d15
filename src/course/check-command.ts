/** `tslab check`: the learner's stage, judged by the kernel. */
import type { CatalogLesson } from './catalog.ts';
import type { Outcome } from './check.ts';
import { checksOf } from './checks-of.ts';
import { type Grade, type Graded, grade } from './grade.ts';
import type { Language } from './lesson.ts';
import { readStage } from './read-stage.ts';
import { StageProblem } from './sandbox.ts';
import { type Screen, screen } from './screen.ts';
import { openSession, type Session } from './session.ts';
import type { Words } from './words.ts';
import { workspace } from './workspace.ts';

interface Options {
  workspace?: string;
  json?: boolean;
  plain?: boolean;
  lang?: string;
}

/** Returns the exit status: 0 only if nothing failed or broke. */
export async function checkCommand(name: string, options: Options): Promise<number> {
  const session = openSession(options);
  const lesson = session.lesson(name);
  const file = workspace(session.who, options.workspace).fileOf(lesson.id);
  const result = await gradeFile(lesson, file, session);
  const ok =
    !result.problem && result.checks.every(({ outcome }) => ['pass', 'skip'].includes(outcome.outcome));
  if (options.json)
    console.log(JSON.stringify(report(lesson, file, ok, result, session.language), undefined, 2));
  else print(file, result, session, screen(options), lesson);
  record(session, lesson, ok);
  return ok ? 0 : 1;
}

async function gradeFile(lesson: CatalogLesson, file: string, { who, words }: Session): Promise<Grade> {
  try {
    const source = readStage(file, who);
    if (process.getuid?.() !== 0) throw new Error(`${words.checkNeedsRoot} ${lesson.number}`);
    return await grade(lesson, await checksOf(lesson), { file, source });
  } catch (error) {
    if (error instanceof StageProblem) return { checks: [], problem: error.problem, printed: '' };
    throw error;
  }
}

/** Skips alone are no proof: a lesson is passed when a check passed and none did not. */
function record({ progress }: Session, lesson: CatalogLesson, ok: boolean): void {
  const { attempts = 0, passed } = progress.read().lessons[lesson.id] ?? {};
  const now = ok ? (passed ?? new Date().toISOString()) : passed;
  progress.lesson(lesson.id, { attempts: attempts + 1, ...(now ? { passed: now } : {}) });
}

/** The shape for programs: stable; fields are only ever added. */
function report(
  lesson: CatalogLesson,
  file: string,
  ok: boolean,
  { checks, problem }: Grade,
  language: Language,
): object {
  return {
    lesson: lesson.id,
    number: lesson.number,
    file,
    ok,
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

function print(file: string, result: Grade, session: Session, screen: Screen, lesson: CatalogLesson): void {
  const { words, language } = session;
  screen.print(`${words.checking(file)}\n`);
  if (result.problem) printProblem(file, result.problem, words, screen, lesson);
  for (const graded of result.checks) printCheck(graded, language, words, screen);
  if (result.printed) {
    screen.print(`\n${words.printed}:`);
    screen.code(result.printed.trimEnd());
  }
  if (!result.problem) screen.print(`\n${words.summary(counts(result.checks))}`);
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

function printCheck({ check, outcome }: Graded, language: Language, words: Words, screen: Screen): void {
  screen.item(
    outcome.outcome,
    screen.style(outcome.outcome === 'pass' ? 'reset' : 'bold', check.title[language]),
  );
  const line = (label: string, text: string) =>
    screen.item('none', `${screen.style('dim', `${label}:`)} ${text}`);
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
