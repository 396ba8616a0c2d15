/** Where tslab keeps what it must remember. Each user has their own; nobody else may look in. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { inUserNamespace } from '../facts/userns.ts';

const root = process.geteuid?.() === 0 && !inUserNamespace();

/** Not /tmp: root works here, and nobody else may. Not /run: it can be noexec, and it is memory. */
export const dataFolder = root ? '/var/lib/tslab' : join(homedir(), '.local/share/tslab');

/** Volatile where it can be: after a reboot, what a ledger would undo is gone as well. Never a name in /tmp that anyone could take. */
export let stateFolder = root
  ? '/run/tslab'
  : process.env.XDG_RUNTIME_DIR
    ? join(process.env.XDG_RUNTIME_DIR, 'tslab')
    : join(dataFolder, 'run');

/** For a command line that has an option for it: said once, before anything is looked up there. */
export function useStateFolder(path: string): void {
  stateFolder = path;
}
