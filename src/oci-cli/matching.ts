/** --regex: one command for all containers whose ids match. */
import { allIds } from '../runtime/state.ts';

/**
 * Goes on when one fails.
 *
 * @throws Error for a pattern that is none; the first failure, when all have had their turn.
 */
export async function forEachMatch(pattern: string, work: (id: string) => Promise<void>): Promise<void> {
  let regex: RegExp;
  try {
    regex = new RegExp(pattern);
  } catch (error) {
    throw new Error(`--regex: ${(error as Error).message}`);
  }
  const failures: unknown[] = [];
  for (const id of allIds().filter((id) => regex.test(id)))
    await work(id).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
