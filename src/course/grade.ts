/** Runs a lesson's checks against a stage, and gathers their outcomes. */
import { PlanError } from '../plan/error.ts';
import { Attempts, type Submission } from './attempt.ts';
import type { CatalogLesson } from './catalog.ts';
import type { Check, Outcome } from './check.ts';
import { orAborted } from './interrupt.ts';
import { type Problem, StageProblem } from './sandbox.ts';
import { timeScale } from './scale.ts';
import { words } from './words.ts';

export interface Graded {
  check: Check;
  outcome: Outcome;
}

export interface Grade {
  checks: Graded[];
  /** Why there was no plan to try; then no check was run. */
  problem?: Problem;
  printed: string;
}

const LIMIT = 30_000;

/** Whatever a learner's code has said or printed leaves by this door: all of it is for reading, none for a terminal to obey. */
export async function grade(...of: Parameters<typeof run>): Promise<Grade> {
  const { checks, problem, printed } = await run(...of);
  return {
    checks: checks.map(({ check, outcome }) => ({ check, outcome: readable(outcome) })),
    ...(problem ? { problem: readable(problem) } : {}),
    printed: readable(printed),
  };
}

/** Control characters, and those that turn the direction of writing or are not seen at all, in every text in it. */
function readable<T>(value: T): T {
  if (typeof value === 'string') return value.replace(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, '·') as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, readable(inner)])) as T;
}

async function run(
  lesson: CatalogLesson,
  checks: readonly Check[],
  submission?: Submission,
  signal: AbortSignal = new AbortController().signal,
): Promise<Grade> {
  const graded: Graded[] = [];
  let printed = '';
  for (const check of checks) {
    const attempts = new Attempts(lesson, submission);
    try {
      graded.push({ check, outcome: await orAborted(judge(check, attempts), signal) });
    } catch (error) {
      const problem = asProblem(error);
      if (!problem) throw error;
      return { checks: [], problem, printed: attempts.printed || printed };
    } finally {
      await attempts.close();
      printed ||= attempts.printed;
    }
  }
  return { checks: graded, printed };
}

async function judge(check: Check, attempts: Attempts): Promise<Outcome> {
  const limit = LIMIT * timeScale();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((done) => {
    timer = setTimeout(
      () => done({ outcome: 'error', reason: words.en.timedOut(Math.round(limit / 1000)) }),
      limit,
    );
  });
  try {
    return await Promise.race([check.run(attempts), late]);
  } catch (error) {
    if (asProblem(error)) throw error;
    return asOutcome(error as Error);
  } finally {
    clearTimeout(timer);
  }
}

/** A container that doesn't start is the stage's fault, and the kernel has said why. All else is the checker's. */
function asOutcome(error: Error): Outcome {
  if (error.name === 'StartError')
    return {
      outcome: 'fail',
      expected: { en: words.en.startFailed, zh: words.zh.startFailed },
      shown: error.message,
    };
  return { outcome: 'error', reason: (error.stack ?? error.message).split('\n').slice(0, 3).join('\n') };
}

function asProblem(error: unknown): Problem | undefined {
  if (error instanceof StageProblem) return error.problem;
  if (error instanceof PlanError) return { code: 'plan', message: error.message };
  return undefined;
}
