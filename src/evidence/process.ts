/** What /proc says of a process. Read from outside, by the number that it has here. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type Who = number | 'self';

/** The inode number of each of its namespaces, by the name in /proc/<pid>/ns: the same number is the same namespace. */
export function namespace(who: Who, type: string): number {
  return Number(/\d+/.exec(readlinkSync(`/proc/${who}/ns/${type}`))?.[0]);
}

export interface Status {
  /** The name of what it runs, cut to 15 bytes. */
  name: string;
  /** One letter: R running, S sleeping, Z zombie, … */
  state: string;
  /** The parent's number as we count; 0 if it is outside of our PID namespace. */
  parent: number;
  /** Its numbers, from our PID namespace down to its own. */
  numbers: number[];
}

/** proc_pid_status(5). @throws ENOENT or ESRCH once the process is gone. */
export function status(who: Who): Status {
  const text = readFileSync(`/proc/${who}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    name: field('Name'),
    state: field('State').charAt(0),
    parent: Number(field('PPid')),
    numbers: field('NSpid').split(/\s+/).map(Number),
  };
}

/**
 * When it began, in clock ticks since boot: with the pid, that names one process for ever (proc_pid_stat(5), field 22).
 * Undefined once it has ended; a zombie has.
 */
export function startTimeOf(who: Who): number | undefined {
  const stat = unlessGone(() => readFileSync(`/proc/${who}/stat`, 'utf8'));
  // The command's name, in parentheses, may hold anything; field 3 comes after its end.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19]);
}

/** All processes that there are, by our numbers; `proc` may be another proc file system than ours. */
export function processes(proc = '/proc'): number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** proc_pid_task_tid_children(5) needs a kernel option, so parents are read the other way round. */
export function children(pid: number): number[] {
  return processes().filter((one) => statusOf(one)?.parent === pid);
}

/** All that live in a PID namespace, given by its inode number. */
export function residents(pidNamespace: number): number[] {
  return processes().filter((pid) => unlessGone(() => namespace(pid, 'pid')) === pidNamespace);
}

/** Its status, or undefined once it is gone. */
export const statusOf = (pid: number): Status | undefined => unlessGone(() => status(pid));

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
