/** A living container's cgroup: who is in it, stopping it in its tracks, ending all of it. Plain files, by directory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyed, members, oomKills, text } from '../evidence/cgroup.ts';
import { probe } from '../facts/probe.ts';
import { type CgroupDirectories, cgroupDirectories } from '../steps/cgroup/place.ts';
import type { State } from './state.ts';

/** How long a process may take to come out of what can't be interrupted. */
const PATIENCE = 10_000;

/** @throws Error if it has no cgroup of its own. */
export function directoriesOf({ id, spec }: Pick<State, 'id' | 'spec'>): CgroupDirectories {
  const path = spec.linux?.cgroupsPath;
  if (!path)
    throw new Error(
      `container ${id}: it has no cgroup of its own; root's have, and those of users with a delegated subtree`,
    );
  return cgroupDirectories(path, probe(spec).cgroup);
}

/** All its processes, those in cgroups that it made itself included. */
export function pids(directories: CgroupDirectories): number[] {
  const { unified, controllers } = directories;
  const any = unified ?? controllers.freezer ?? controllers.pids ?? Object.values(controllers)[0];
  return any === undefined ? [] : members(any);
}

/** v2's freezer, on a hybrid host too: what it holds can still be killed, unlike in v1's. */
function freezer({ unified, controllers }: CgroupDirectories) {
  if (unified !== undefined)
    return {
      file: join(unified, 'cgroup.freeze'),
      frozen: '1',
      thawed: '0',
      is: () => keyed(unified, 'cgroup.events')?.frozen === 1,
    };
  const directory = controllers.freezer;
  if (directory === undefined) throw new Error('freezing needs cgroup v2, or the freezer controller of v1');
  return {
    file: join(directory, 'freezer.state'),
    frozen: 'FROZEN',
    thawed: 'THAWED',
    is: () => text(directory, 'freezer.state') === 'FROZEN',
  };
}

export const isFrozen = (directories: CgroupDirectories): boolean =>
  (directories.unified ?? directories.controllers.freezer) !== undefined && freezer(directories).is();

/**
 * Resolves when no process of it runs any more.
 *
 * @throws Error if one can't be held within 10 s: then none is.
 */
export async function freeze(directories: CgroupDirectories): Promise<void> {
  const { file, frozen, thawed, is } = freezer(directories);
  const end = Date.now() + PATIENCE;
  do {
    writeFileSync(file, frozen); // again and again: v1 may miss one that was just being forked
    if (is()) return;
    await sleep(5);
  } while (Date.now() < end);
  writeFileSync(file, thawed);
  throw new Error(`${file}: a process could not be frozen within ${PATIENCE / 1000} s; it goes on`);
}

export async function thaw(directories: CgroupDirectories): Promise<void> {
  const { file, thawed, is } = freezer(directories);
  const end = Date.now() + PATIENCE;
  writeFileSync(file, thawed);
  while (is() && Date.now() < end) await sleep(5);
}

/** Ends all of it, forking ones included. Resolves when it is empty; false if that takes too long. */
export async function killAll(directories: CgroupDirectories, patience = PATIENCE): Promise<boolean> {
  const end = Date.now() + patience;
  for (; pids(directories).length > 0; await sleep(5)) {
    if (Date.now() > end) return false;
    if (!killAtOnce(directories.unified)) await killOneByOne(directories);
  }
  return true;
}

/** cgroup.kill came with Linux 5.14. */
function killAtOnce(unified: string | undefined): boolean {
  if (unified === undefined || text(unified, 'cgroup.events') === undefined) return false;
  try {
    writeFileSync(join(unified, 'cgroup.kill'), '1', { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** Held, so that none forks away and no number becomes another's; in v1's freezer a killed one dies when it is let go. */
async function killOneByOne(directories: CgroupDirectories): Promise<void> {
  const held = await freeze(directories).then(
    () => true,
    () => false,
  );
  for (const pid of pids(directories)) kill(pid);
  if (held) await thaw(directories);
}

/**
 * Each time that processes of it were killed for want of memory: how many so far. Ends with the cgroup. Asked again and
 * again, because v1 tells only those who hold an eventfd(2) (memory.rst, "OOM Control").
 */
export async function* ooms(
  { unified, controllers }: CgroupDirectories,
  interval = 100,
): AsyncGenerator<number> {
  const directory = controllers.memory ?? unified;
  let known = 0;
  for (let now = oomKills(directory); now !== undefined; now = oomKills(directory)) {
    if (now > known) yield now;
    known = now;
    await sleep(interval);
  }
}

function kill(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL'); // 0: one that this PID namespace can't see
  } catch {} // it has ended
}
