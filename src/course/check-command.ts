/** `tslab check`: the learner's stage, judged by the kernel; once, or at each save. */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CatalogLesson, catalog, titles } from './catalog.ts';
import { passes, printEarlier, printGrade, report } from './check-report.ts';
import { checksOf } from './checks-of.ts';
import { type Grade, grade } from './grade.ts';
import { interruptible, orAborted } from './interrupt.ts';
import { asLearner } from './learner.ts';
import { nextStep } from './next.ts';
import { readStage } from './read-stage.ts';
import { StageProblem } from './sandbox.ts';
import { screen } from './screen.ts';
import { openSession, type Session } from './session.ts';
import { type Workspace, workspace } from './workspace.ts';

interface Options {
  workspace?: string;
  json?: boolean;
  plain?: boolean;
  lang?: string;
  watch?: boolean;
  /** False: without the earlier lessons. */
  earlier?: boolean;
}

/** Returns the exit status: 0 only if nothing failed or broke. */
export async function checkCommand(name: string, options: Options): Promise<number> {
  const session = openSession(options);
  const lesson = session.lesson(name);
  const files = workspace(session.who, options.workspace);
  return await interruptible(async (signal) => {
    for (;;) {
      const seen = version(files.fileOf(lesson.id), session);
      const status = await checkOnce(lesson, files, session, options, signal);
      if (!options.watch) return status;
      console.log(`\n${session.words.watching}\n`);
      while (version(files.fileOf(lesson.id), session) === seen) await orAborted(sleep(300), signal);
    }
  });
}

async function checkOnce(
  lesson: CatalogLesson,
  files: Workspace,
  session: Session,
  options: Options,
  signal: AbortSignal,
): Promise<number> {
  const file = files.fileOf(lesson.id);
  const result = await gradeFile(lesson, file, session, signal);
  record(session, lesson, passes(result) && result.checks.some(({ outcome }) => outcome.outcome === 'pass'));
  const shown = screen(options);
  if (!options.json) printGrade(file, result, session, shown, lesson, options.watch === true);
  const earlier = options.earlier === false ? [] : await gradeEarlier(lesson, files, session, signal);
  if (options.json) {
    const rest = earlier.map(([one, grade]) => report(one, files.fileOf(one.id), grade, session.language));
    const whole = { ...report(lesson, file, result, session.language), earlier: rest };
    console.log(JSON.stringify(whole, undefined, 2));
  } else if (earlier.length > 0) {
    shown.print(`\n${session.words.earlier}`);
    for (const [one, grade] of earlier)
      printEarlier(one, titles(one)[session.language], grade, session, shown);
  }
  const ok = [result, ...earlier.map(([, grade]) => grade)].every(passes);
  if (ok && !options.json) shown.print(`\n${session.words.passedLesson}\n${nextStep(session)}`);
  return ok ? 0 : 1;
}

/** What was passed has to stay so: the stages make one runtime in the end. */
async function gradeEarlier(
  lesson: CatalogLesson,
  files: Workspace,
  session: Session,
  signal: AbortSignal,
): Promise<[CatalogLesson, Grade][]> {
  const done = session.progress.read().lessons;
  const grades: [CatalogLesson, Grade][] = [];
  for (const one of catalog.filter(({ number, id }) => number < lesson.number && done[id]?.passed)) {
    const grade = await gradeFile(one, files.fileOf(one.id), session, signal);
    // Passed on another machine, or put away since: nothing to say of it here.
    if (grade.problem?.code !== 'missing') grades.push([one, grade]);
  }
  return grades;
}

async function gradeFile(
  lesson: CatalogLesson,
  file: string,
  { who, words }: Session,
  signal: AbortSignal,
): Promise<Grade> {
  try {
    const source = readStage(file, who);
    if (process.getuid?.() !== 0) throw new Error(`${words.checkNeedsRoot} ${lesson.number}`);
    return await grade(lesson, await checksOf(lesson), { file, source }, signal);
  } catch (error) {
    if (error instanceof StageProblem) return { checks: [], problem: error.problem, printed: '' };
    throw error;
  }
}

/** Skips alone are no proof. */
function record({ progress }: Session, lesson: CatalogLesson, ok: boolean): void {
  const { attempts = 0, passed } = progress.read().lessons[lesson.id] ?? {};
  const now = ok ? (passed ?? new Date().toISOString()) : passed;
  progress.lesson(lesson.id, { attempts: attempts + 1, ...(now ? { passed: now } : {}) });
}

/** Asked for by looking: inotify(7) hears nothing of what a virtual machine's host or another NFS client writes. */
function version(file: string, { who }: Session): string {
  const stat = asLearner(who, () => statSync(file, { bigint: true, throwIfNoEntry: false }));
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : 'missing';
}
