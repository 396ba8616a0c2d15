/** Other limits for a container that lives: by the same writers that made its plan. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { number, text } from '../evidence/cgroup.ts';
import type { Facts } from '../facts/facts.ts';
import type { Resources } from '../oci/spec.ts';
import type { CgroupDirectories } from '../steps/cgroup/place.ts';
import { type Limit, limits, pathOf, versionOf } from '../steps/cgroup/resources.ts';
import { refuse } from '../steps/cgroup/write.ts';

/** A change that has been judged. */
export interface Change {
  /** What is asked from now on. */
  readonly whole: Resources;
  readonly wanted: readonly Limit[];
}

/**
 * @param change what to set; what it leaves out stays.
 * @param now what was asked before: a group such as `memory` is judged as a whole.
 * @returns what is asked from now on.
 * @throws PlanError before anything is written, for what this host can't do; Error naming file, errno and field.
 */
export function update(
  directories: CgroupDirectories,
  facts: Pick<Facts, 'kernel' | 'cgroup'>,
  change: Resources,
  now: Resources = {},
): Resources {
  const { whole, wanted } = judge(directories, facts, change, now);
  apply(directories, wanted);
  return whole;
}

/** The first half of update: nothing is written. */
export function judge(
  directories: CgroupDirectories,
  facts: Pick<Facts, 'kernel' | 'cgroup'>,
  change: Resources,
  now: Resources = {},
): Change {
  const whole = merged(change, now);
  if (change.devices && versionOf('devices', facts.cgroup) === 2)
    refuse('devices', 'under cgroup v2 they are decided by a program that stays for the cgroup’s life');
  const touched = Object.fromEntries(
    Object.keys(change).map((group) => [group, whole[group as keyof Resources]]),
  );
  const wanted = [...limits(touched, facts), ...idleNoMore(change, facts)];
  if (change.memory?.limit && whole.memory?.checkBeforeUpdate) checkUsage(directories, change.memory.limit);
  return { whole, wanted };
}

/** The second. */
export function apply(directories: CgroupDirectories, wanted: readonly Limit[]): void {
  handOut(wanted, directories);
  write(wanted, directories);
}

function merged(change: Resources, now: Resources): Resources {
  const groups = Object.entries(change).map(([group, value]) => {
    const before = now[group as keyof Resources];
    const both = before && !Array.isArray(value) ? { ...before, ...value } : value;
    return [group, both];
  });
  return { ...now, ...Object.fromEntries(groups) };
}

/** 0 asks for nothing of a new cgroup, but takes it back from an old one. */
function idleNoMore({ cpu }: Resources, facts: Pick<Facts, 'cgroup'>): Limit[] {
  if (cpu?.idle !== 0) return [];
  const version = versionOf('cpu', facts.cgroup) ?? 2;
  return [{ controller: 'cpu', version, file: 'cpu.idle', data: '0', field: 'linux.resources.cpu.idle' }];
}

/** v1 refuses such a limit by itself; v2 would begin to kill. */
function checkUsage({ unified, controllers }: CgroupDirectories, limit: number): void {
  const usage = number(controllers.memory, 'memory.usage_in_bytes') ?? number(unified, 'memory.current') ?? 0;
  if (limit > 0 && limit < usage)
    refuse('memory.limit', `is ${limit}, but ${usage} bytes are in use, and checkBeforeUpdate is set`);
}

/** A controller that nobody asked for at the start: the cgroup above has to hand it out first (cgroups(7)). */
function handOut(wanted: readonly Limit[], { unified }: CgroupDirectories): void {
  if (unified === undefined) return;
  const has = text(unified, 'cgroup.controllers')?.split(' ') ?? [];
  for (const limit of wanted) {
    if (limit.version !== 2 || limit.controller === 'cgroup' || has.includes(limit.controller)) continue;
    put(join(dirname(unified), 'cgroup.subtree_control'), `+${limit.controller}`, limit.field, []);
    has.push(limit.controller);
  }
}

/**
 * Some files may not contradict others at any moment: a quota its period, memory alone memory with swap. Which has
 * to go first depends on what is there now, so those that the kernel finds contradictory are tried again after the rest.
 */
function write(wanted: readonly Limit[], directories: CgroupDirectories): void {
  const puts = (limit: Limit, excused: readonly string[]) =>
    put(pathOf(limit, directories), limit.data, limit.field, excused);
  const again = wanted.filter((limit) => !puts(limit, ['EINVAL', 'EBUSY']));
  for (const limit of again) puts(limit, []);
}

/** Whether the kernel took it; excused errors are no error. */
function put(path: string, data: string, field: string, excused: readonly string[]): boolean {
  try {
    writeFileSync(path, data, { flag: 'r+' }); // never made: a file that is not there is a limit that is not
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (excused.includes(code)) return false;
    throw new Error(
      `write(${JSON.stringify(path)}, ${JSON.stringify(data)}): ${code}, asked for by ${field}`,
    );
  }
}
