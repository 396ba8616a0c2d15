/** Private copies of the default root file system: scenes and attempts may do to theirs what they like. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { endAll, processesMarked } from './processes.ts';

/** Not /tmp: root works here, and nobody else may. Not /run: it can be noexec, and it is memory. */
const parent =
  process.geteuid?.() === 0 ? '/var/lib/tslab/course' : join(homedir(), '.local/share/tslab/course');

/** A folder of this process; a later tslab removes what one that was killed left. */
export function ownFolder(): string {
  sweep();
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${process.pid}-`));
  chmodSync(folder, 0o755); // for who is root in a user namespace only
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  try {
    rmdirSync(parent);
  } catch {
    // another tslab is at work there
  }
}

export function copyRootfs(to: string): string {
  const from = join(packageRoot, 'dist/rootfs/default');
  if (!existsSync(from))
    throw new Error(`${from}: no such directory. Type: sh ${packageRoot}/scripts/set-up`);
  execFileSync('cp', ['-a', '--reflink=auto', `${from}/.`, to], { stdio: ['ignore', 'ignore', 'inherit'] });
  return to;
}

/** What a tslab left that was killed: its folder's name begins with its pid, and is in the environment of its shells. */
export function sweep(): void {
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const [pid] = name.split('-');
    if (existsSync(`/proc/${pid}`)) continue;
    endAll(processesMarked(markOf(name)));
    rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** A variable that all processes of a folder's scenes carry, so that none can get lost. */
export const markOf = (folder: string): string => `TSLAB_SCENE=${basename(folder)}`;
