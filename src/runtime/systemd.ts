/**
 * A place for a container's cgroup where systemd is the one who gives places away: a scope of its own, delegated
 * (systemd.resource-control(5), "Delegate="). The seam for `--systemd-cgroup`: the config's `slice:prefix:name` goes in, a path comes out.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cgroupPaths } from '../evidence/cgroup.ts';
import type { CgroupFacts } from '../facts/facts.ts';

export interface Scope {
  slice: string;
  unit: string;
}

/** A scope that is there, kept alive by a process of ours until the container has one. */
export interface Place {
  /** For `linux.cgroupsPath`: inside the scope, whose own files stay systemd's. */
  cgroupsPath: string;
  release(): void;
}

/**
 * @param path `slice:prefix:name`, as engines write it for a systemd driver; each may be empty.
 * @throws Error for any other.
 */
export function scopeOf(path: string | undefined, id: string, uid: number): Scope {
  const [slice, prefix, name, ...more] = (path ?? '').split(':');
  const parts = { slice: slice || (uid === 0 ? 'system.slice' : 'user.slice'), prefix, name: name || id };
  const unit = `${[parts.prefix ?? 'tslab', parts.name].filter((part) => part !== '').join('-')}.scope`;
  // systemd.unit(5): the characters of a unit's name, 256 at most with its suffix.
  const wellNamed = [parts.slice, unit].every((word) => /^[\w:.\\@-]{1,256}$/.test(word));
  if (more.length > 0 || !parts.slice.endsWith('.slice') || !wellNamed)
    throw new Error(
      `linux.cgroupsPath is ${JSON.stringify(path)}: with systemd it takes slice:prefix:name, such as system.slice:tslab:web`,
    );
  return { slice: parts.slice, unit };
}

/** busctl(1)'s words for org.freedesktop.systemd1.Manager.StartTransientUnit(name, mode, properties, aux). */
export function scopeCall({ slice, unit }: Scope, pid: number, user: boolean): string[] {
  const properties = [
    ['Description', 's', `tslab container ${unit}`],
    ['Slice', 's', slice],
    ['PIDs', 'au', '1', String(pid)],
    ['Delegate', 'b', 'true'],
    ['CollectMode', 's', 'inactive-or-failed'],
  ];
  return [
    ...(user ? ['--user'] : ['--system']),
    'call',
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
    'StartTransientUnit',
    'ssa(sv)a(sa(sv))',
    unit,
    'fail', // a scope of that name belongs to somebody else
    String(properties.length),
    ...properties.flat(),
    '0',
  ];
}

/** @throws Error where systemd does not run, or refuses. */
export async function openScope(scope: Scope, facts: CgroupFacts, uid: number): Promise<Place> {
  if (!existsSync('/run/systemd/system'))
    // sd_booted(3)
    throw new Error('--systemd-cgroup: systemd does not run here; leave the flag out');
  const holder = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const pid = holder.pid ?? 0;
    await promisify(execFile)('busctl', scopeCall(scope, pid, uid !== 0));
    const path = await pathIn(scope, pid);
    if (facts.unified !== undefined) stepAside(join(facts.unified, path), pid);
    return { cgroupsPath: `${path}/container`, release: () => holder.kill('SIGKILL') };
  } catch (error) {
    holder.kill('SIGKILL');
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`systemd: StartTransientUnit(${scope.unit}): ${stderr?.trim() || message}`);
  }
}

/** The call is answered when the job is queued; it is done when the process is in there. */
async function pathIn({ unit }: Scope, pid: number): Promise<string> {
  for (let tries = 0; tries < 500; tries++, await sleep(10)) {
    const paths = cgroupPaths(pid);
    const found = [paths[''], paths['name=systemd']].find((path) => path?.endsWith(`/${unit}`));
    if (found !== undefined) return found;
  }
  throw new Error('the scope did not come up within 5 s');
}

/** A v2 cgroup that holds processes hands out no controllers (cgroups(7), "no internal processes"). */
function stepAside(scope: string, pid: number): void {
  mkdirSync(join(scope, 'holder'));
  writeFileSync(join(scope, 'holder/cgroup.procs'), String(pid));
}
