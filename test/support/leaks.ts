/** The last check of a run: whatever tslab makes on a host, it removes. Compares the host before all tests and after. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

type Snapshot = Map<string, Set<string>>;

/** Others use this host too, so only what bears our name counts, and what sits in a directory of ours. */
const ours = /tslab/;
const launcherDir = resolve(import.meta.dirname, '../../native/build');

export default function setup(): () => Promise<void> {
  const before = snapshot();
  return async () => {
    // A killed container's processes and cgroup go a moment after the kill.
    for (let tries = 0; tries < 20 && left(before).length > 0; tries++) await sleep(100);
    const leaks = left(before);
    if (leaks.length === 0) return;
    throw new Error(`the tests left ${leaks.length} thing(s) on this host:\n  ${leaks.join('\n  ')}`);
  };
}

function left(before: Snapshot): string[] {
  return [...snapshot()].flatMap(([kind, now]) =>
    [...now].filter((one) => !before.get(kind)?.has(one)).map((one) => `${kind} ${one}`),
  );
}

function snapshot(): Snapshot {
  return new Map([
    ['mount', new Set(mounts())],
    ['link', new Set(list('/sys/class/net').filter((name) => /^tsl/.test(name)))],
    ['named network namespace', new Set(list('/run/netns').filter((name) => ours.test(name)))],
    ['cgroup', new Set(cgroups())],
    ['process', new Set(processes())],
    [
      'state',
      new Set(['/run/tslab', '/var/lib/tslab'].flatMap((dir) => list(dir).map((name) => join(dir, name)))),
    ],
  ]);
}

/** proc_pid_mountinfo(5): "id parent major:minor root point options…". A remount keeps its id; a mount over a mount has its own. */
function mounts(): string[] {
  return mountinfo().map(([id, , , root, point]) => `${root} on ${point} (id ${id})`);
}

/** Below every hierarchy, v1 and v2, wherever it is mounted. */
function cgroups(): string[] {
  return mountinfo()
    .filter((fields) => fields.some((field, i) => field === '-' && fields[i + 1]?.startsWith('cgroup')))
    .flatMap(([, , , , point = '']) => directoriesBelow(point))
    .filter((path) => ours.test(path));
}

function mountinfo(): string[][] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(' '));
}

function directoriesBelow(dir: string): string[] {
  const entries = attempt(() => readdirSync(dir, { withFileTypes: true })) ?? [];
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
  return below.flatMap((path) => [path, ...directoriesBelow(path)]);
}

/** A process that runs our launcher, from its file or from its sealed copy in memory; zombies have no exe and are told by name. */
function processes(): string[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const exe = attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? '';
      const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '';
      const isOurs = exe.startsWith(launcherDir) || /^\/memfd:.*(tslab|launch)/.test(exe) || ours.test(name);
      return isOurs ? [`${pid} (${name || exe})`] : [];
    });
}

function list(dir: string): string[] {
  return attempt(() => readdirSync(dir)) ?? [];
}

/** What was never there, or is gone between being listed and being read, is no leak. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
