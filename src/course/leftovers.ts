/** What of ours is on this host: taken before and after, the difference is what a lesson left behind. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isLauncher } from './processes.ts';

export type Belongings = ReadonlySet<string>;

/** Others use this host too: only what bears our name counts, and all mounts. */
export function belongings(): Belongings {
  return new Set([...mounts(), ...cgroups(), ...processes(), ...states()]);
}

/** What came and did not go. A killed process and its cgroup take a moment, so it is looked at again for 2 s. */
export async function leftSince(before: Belongings): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const left = [...belongings()].filter((one) => !before.has(one));
    if (left.length === 0 || tries === 20) return left;
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** proc_pid_mountinfo(5): "id parent major:minor root point …". A mount over a mount has its own id. */
function mounts(): string[] {
  return mountinfo().map(([id, , , root, point]) => `mount of ${root} on ${point} (${id})`);
}

function cgroups(): string[] {
  const trees = mountinfo().filter((fields) => fields[fields.indexOf('-') + 1]?.startsWith('cgroup'));
  return trees
    .flatMap(([, , , , point = '']) => below(point))
    .filter((dir) => dir.includes('tslab'))
    .map((dir) => `cgroup ${dir}`);
}

function processes(): string[] {
  return list('/proc')
    .filter((pid) => /^\d+$/.test(pid) && isLauncher(Number(pid)))
    .map((pid) => `process ${pid} (${attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? 'gone'})`);
}

function states(): string[] {
  return ['/run/tslab', '/var/lib/tslab'].flatMap((dir) =>
    list(dir).map((name) => `state ${join(dir, name)}`),
  );
}

function mountinfo(): string[][] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
}

function below(dir: string): string[] {
  const inner = attempt(() => readdirSync(dir, { withFileTypes: true })) ?? [];
  const dirs = inner.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
  return dirs.flatMap((path) => [path, ...below(path)]);
}

function list(dir: string): string[] {
  return attempt(() => readdirSync(dir)) ?? [];
}

/** What is gone between being listed and being read was none of ours to keep. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
