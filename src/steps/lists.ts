/** Lists of CPUs and memory nodes, as `0-3,7` (cpuset(7), "List format"). */
import { PlanError } from '../plan/error.ts';

/** More CPUs than any kernel is built for (CONFIG_NR_CPUS). */
const MOST = 8192;

/**
 * The list as a bit mask in base64, as long as a multiple of `unit` bytes. An empty list has no bytes.
 *
 * @throws PlanError naming the field.
 */
export function listToMask(list: string, unit: number, field: string): string {
  const bytes: number[] = [];
  for (const word of list.split(',').map((word) => word.trim())) {
    if (word === '') continue;
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (!(first <= last && last < MOST))
      throw new PlanError(
        `${field}: ${JSON.stringify(word)} in ${JSON.stringify(list)}; it takes a list such as 0-3,7`,
      );
    for (let bit = first; bit <= last; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  const length = Math.ceil(bytes.length / unit) * unit;
  return Buffer.from(Array.from({ length }, (_, i) => bytes[i] ?? 0)).toString('base64');
}
