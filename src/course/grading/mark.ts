/** Marks one file of one learner. This is all that its process does, so that whatever happens in it is that file's alone. */
import { createHash } from 'node:crypto';
import type { CatalogLesson } from '../catalog.ts';
import type { Outcome } from '../check.ts';
import { checksOf } from '../checks-of.ts';
import { type Grade, grade } from '../grade.ts';
import { learner } from '../learner.ts';
import type { Language } from '../lesson.ts';
import { useSeed } from '../probes.ts';
import { readStage } from '../read-stage.ts';
import { StageProblem } from '../sandbox.ts';
import { type CheckMark, type LessonMark, score } from './report.ts';

export interface MarkOptions {
  language: Language;
  seed?: string;
  signal: AbortSignal;
}

export async function markFile(
  lesson: CatalogLesson,
  file: string,
  { language, seed, signal }: MarkOptions,
): Promise<LessonMark> {
  if (seed !== undefined) useSeed(`${seed} ${lesson.id}`);
  const common = { lesson: lesson.id, number: lesson.number };
  let sha256: string | undefined;
  try {
    const source = readStage(file, learner());
    sha256 = createHash('sha256').update(source).digest('hex');
    const { checks, problem } = await grade(lesson, await checksOf(lesson), { file, source }, signal);
    const marks = checks.map((one) => checkMark(one, language));
    return {
      ...common,
      sha256,
      ...(problem ? { problem } : {}),
      checks: marks,
      ...score(marks, problem !== undefined),
    };
  } catch (error) {
    if (!(error instanceof StageProblem)) throw error;
    return { ...common, problem: error.problem, checks: [], ...score([], true) };
  }
}

function checkMark({ check, outcome }: Grade['checks'][number], language: Language): CheckMark {
  return {
    id: check.id,
    title: check.title[language],
    outcome: outcome.outcome,
    ...details(outcome, language),
  };
}

function details(outcome: Outcome, language: Language): Partial<CheckMark> {
  if (outcome.outcome === 'fail') return { expected: outcome.expected[language], shown: outcome.shown };
  if (outcome.outcome === 'skip') return { reason: outcome.reason[language] };
  return outcome.outcome === 'error' ? { reason: outcome.reason } : {};
}
