/** What config.json says in v1's units, in v2's (cgroup-v2.rst, "Weights"; crun(1), "CGROUP v2"). */
import { PlanError } from '../../plan/error.ts';

/**
 * cpu.shares 2…262144 to cpu.weight 1…10000, so that both ends meet and the two defaults, 1024 and 100, as well:
 * a parabola through these three points on a double-logarithmic scale.
 */
export function cpuWeight(shares: number): number {
  const log = Math.log2(Math.min(Math.max(shares, 2), 262_144));
  const exponent = (log * log + 125 * log) / 612 - 7 / 34;
  return Math.min(Math.ceil(10 ** exponent - 1e-9), 10_000);
}

/** blkio.weight 10…1000 to io.weight 1…10000, linearly. BFQ's own file takes the weight as it is. */
export function ioWeight(weight: number): number {
  return 1 + Math.floor(((Math.min(Math.max(weight, 10), 1000) - 10) * 9999) / 990);
}

/**
 * v1 limits memory and swap together, v2 swap alone.
 *
 * @returns bytes, or -1 for no limit; undefined when nothing is asked.
 * @throws PlanError when the sum can't be taken apart.
 */
export function swapAlone(both: number | undefined, memory: number | undefined): number | undefined {
  if (both === undefined || both === 0) return undefined;
  if (both < 0) return -1;
  checkSwap(both, memory);
  return both - (memory as number);
}

/** The rule of both versions. */
export function checkSwap(both: number, memory: number | undefined): void {
  const field = 'linux.resources.memory.swap';
  if (memory === undefined || memory <= 0)
    throw new PlanError(`${field}: it limits memory and swap together, so it needs memory.limit as well`);
  if (both < memory)
    throw new PlanError(
      `${field} is ${both}: it counts memory and swap, so it can't be less than memory.limit, ${memory}`,
    );
}
