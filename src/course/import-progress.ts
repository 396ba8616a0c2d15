/** `tslab progress import`: what was done elsewhere, added to what was done here. */
import { readFileSync } from 'node:fs';
import { asLearner } from './learner.ts';
import { merge, parseProgress } from './progress.ts';
import type { Session } from './session.ts';

/**
 * Returns what to say.
 *
 * @throws Error if the file is no progress file.
 */
export function importProgress({ who, progress, words }: Session, file: string): string {
  const text = asLearner(who, () => readFileSync(file === '-' ? 0 : file, 'utf8'));
  let there: ReturnType<typeof parseProgress>;
  try {
    there = parseProgress(text);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}; tslab progress export makes one`);
  }
  progress.update((here) => merge(here, there));
  return words.progressImported(progress.file, Object.keys(there.lessons).length);
}
