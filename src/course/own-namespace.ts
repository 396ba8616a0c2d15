/**
 * An ordinary user's course. Namespaces, mounts and all that lessons do with them take root's powers; whoever makes a
 * user namespace has these powers over all that they make in it (user_namespaces(7)). So the same command is run once
 * more, as root of a namespace of the learner's own. What it may never do there is what only the host's root may:
 * make device nodes, raise limits, touch the host's cgroups.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { dataFolder } from '../runtime/folders.ts';
import { ownNamespace } from '../runtime/own-namespace.ts';

/**
 * @returns the exit status of the command, run to its end; undefined if we are root already, or the host forbids it.
 */
export function runAsOwnRoot(): number | undefined {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return undefined;
  const [unshare, ...how] = ownNamespace(uid) ?? [];
  if (unshare === undefined) return undefined;
  // Ids that mean nobody in there, and a folder that is not there.
  const { SUDO_USER: _, XDG_RUNTIME_DIR: __, ...env } = process.env;
  // Ctrl-C reaches the whole foreground group; the one that plays decides what it means.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => {});
  const { status, signal } = spawnSync(unshare, [...how, ...ownHost, '--', ...privately(again())], {
    stdio: 'inherit',
    env,
  });
  return status ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** What lessons call the host is then a small one of the learner's own: processes, mounts, names and links as well. */
const ownHost = ['--pid', '--fork', '--kill-child', '--mount-proc', '--uts', '--ipc', '--net'];

/**
 * What is kept about containers is of no use outside, where processes have other numbers; in memory, it goes with them.
 * So does what root keeps in /run, such as named network namespaces (ip-netns(8)).
 */
const privately = (command: readonly string[]): string[] => [
  'sh',
  '-ec',
  'mkdir -p "$1"; mount -t tmpfs -o mode=711 tslab "$1"; mount -t tmpfs -o mode=755 tslab /run; ' +
    'ip link set lo up 2>/dev/null || :; shift; exec "$@"',
  'sh',
  dataFolder,
  ...command,
];

const again = () => [join(packageRoot, 'bin/tslab'), ...process.argv.slice(2)];
