/** Finds processes of ours in /proc, and ends them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** proc_pid_task_tid_children(5) needs a kernel option, so parents are read the other way round. */
export function childrenOf(pid: number): number[] {
  return all().filter((one) => parentOf(one) === pid);
}

/** Nearest first. */
export function descendants(pid: number): number[] {
  const parents = new Map(all().map((one) => [one, parentOf(one)]));
  const found = [pid];
  for (const one of found)
    found.push(...[...parents].filter(([, parent]) => parent === one).map(([child]) => child));
  return found.slice(1);
}

/** Those that have `NAME=value` in the environment that they began with. */
export function processesMarked(mark: string): number[] {
  return all().filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(mark));
}

/** The launcher runs from a sealed copy in memory, or from its file. */
export function isLauncher(pid: number): boolean {
  try {
    return /^\/memfd:.*(tslab|launch)|native\/build\/launch/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return false; // it has gone
  }
}

/** SIGKILL for each; one that has gone already is fine. */
export function endAll(pids: readonly number[]): void {
  for (const pid of pids) {
    if (pid <= 1) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ESRCH
    }
  }
}

function all(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** proc_pid_stat(5): "pid (name) state ppid"; the name may hold anything, even parentheses. */
function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
