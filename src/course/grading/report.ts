/** What grading says: one value, from which every format is made. Its fields are stable; they are only ever added to. */
import type { Outcome } from '../check.ts';

export interface CheckMark {
  id: string;
  title: string;
  outcome: Outcome['outcome'];
  /** Of a fail. */
  expected?: string;
  shown?: string;
  /** Of a skip or an error. */
  reason?: string;
}

export interface LessonMark {
  lesson: string;
  number: number;
  /** Of the file that was marked, hexadecimal. */
  sha256?: string;
  /** Why no check was run. `missing`: nothing was handed in. `grader`: the marking itself ended early. */
  problem?: { code: string; message: string; line?: number };
  checks: CheckMark[];
  /** Checks passed, of those that this machine could show; a problem leaves 0 of 1. */
  points: number;
  of: number;
}

export interface SubmissionMark {
  name: string;
  lessons: LessonMark[];
  /** Percent, one decimal: the mean of its lessons, each of which weighs the same. */
  score: number;
}

export interface ClassReport {
  version: 1;
  tslab: string;
  /** ISO. */
  date: string;
  machine: { kernel: string; cpus: number };
  /** The seed of the checks' random values; without one, they differ from run to run. */
  seed?: string;
  lessons: string[];
  submissions: SubmissionMark[];
  cohort: Cohort;
}

export interface Cohort {
  /** How many were handed in, passed wholly, and the mean percentage, by lesson. */
  lessons: { lesson: string; submitted: number; passed: number; score: number }[];
  /** The first lesson that is not wholly passed, and whose it is. */
  stuck: { lesson: string; names: string[] }[];
  /** Most often failed first. */
  checks: { lesson: string; check: string; title: string; failed: number; of: number }[];
  /** What needs the instructor: marks that say nothing of the learner. */
  errors: { name: string; lesson: string; reason: string }[];
}

/** A skip is the machine's, an error the checker's: neither counts for or against the learner. */
export function score(checks: readonly CheckMark[], problem: boolean): { points: number; of: number } {
  if (problem) return { points: 0, of: 1 };
  const points = checks.filter(({ outcome }) => outcome === 'pass').length;
  return { points, of: points + checks.filter(({ outcome }) => outcome === 'fail').length };
}

const percent = (part: number) => Math.round(part * 1000) / 10;
/** A lesson of which this machine could show nothing has no score. */
const share = ({ points, of }: LessonMark) => (of === 0 ? undefined : points / of);
export const whole = (mark: LessonMark): boolean => mark.of > 0 && mark.points === mark.of;

export function submissionMark(name: string, lessons: LessonMark[]): SubmissionMark {
  return { name, lessons, score: mean(lessons) };
}

function mean(marks: readonly LessonMark[]): number {
  const shares = marks.map(share).filter((one) => one !== undefined);
  return shares.length === 0 ? 0 : percent(shares.reduce((sum, one) => sum + one, 0) / shares.length);
}

export function cohortOf(lessons: readonly string[], submissions: readonly SubmissionMark[]): Cohort {
  const marks = submissions.flatMap(({ name, lessons }) => lessons.map((mark) => ({ name, ...mark })));
  const of = (lesson: string) => marks.filter((mark) => mark.lesson === lesson);
  return {
    lessons: lessons.map((lesson) => ({
      lesson,
      submitted: of(lesson).filter(({ problem }) => problem?.code !== 'missing').length,
      passed: of(lesson).filter(whole).length,
      score: mean(of(lesson)),
    })),
    stuck: lessons.flatMap((lesson) => {
      const first = (one: SubmissionMark) => one.lessons.find((mark) => mark.of > 0 && !whole(mark))?.lesson;
      const names = submissions.filter((one) => first(one) === lesson).map(({ name }) => name);
      return names.length === 0 ? [] : [{ lesson, names }];
    }),
    checks: lessons.flatMap((lesson) => failures(lesson, of(lesson))).sort((a, b) => b.failed - a.failed),
    errors: marks.flatMap(({ name, lesson, problem, checks }) => [
      ...(problem?.code === 'grader' ? [{ name, lesson, reason: problem.message }] : []),
      ...checks.flatMap(({ outcome, reason = '' }) =>
        outcome === 'error' ? [{ name, lesson, reason }] : [],
      ),
    ]),
  };
}

function failures(lesson: string, marks: readonly LessonMark[]): Cohort['checks'] {
  const run = marks.flatMap(({ checks }) => checks);
  return [...new Map(run.map(({ id, title }) => [id, title]))].flatMap(([check, title]) => {
    const same = run.filter(({ id, outcome }) => id === check && ['pass', 'fail'].includes(outcome));
    const failed = same.filter(({ outcome }) => outcome === 'fail').length;
    return failed === 0 ? [] : [{ lesson, check, title, failed, of: same.length }];
  });
}
