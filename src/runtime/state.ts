/** Which containers this user has: a small file each, beside its ledger, as long as its asker lives. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Spec } from '../oci/spec.ts';
import { stateFolder } from './ledgers.ts';

export interface State {
  id: string;
  /** The first process, as the host numbers it. */
  pid: number;
  /** Clock ticks since boot (proc_pid_stat(5), field 22): with the pid, it names one process for ever. */
  startTime: number;
  created: string;
  spec: Spec;
}

const fileOf = (id: string) => join(stateFolder, `${id}.json`);

export function saveState(id: string, pid: number, spec: Spec): void {
  const startTime = startTimeOf(pid);
  if (startTime === undefined) return; // it has ended already
  const state: State = { id, pid, startTime, created: new Date().toISOString(), spec };
  writeFileSync(`${fileOf(id)}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${fileOf(id)}.new`, fileOf(id));
}

export function dropState(id: string): void {
  rmSync(fileOf(id), { force: true });
}

/** Those whose first process is alive. What a killed tslab left behind is dropped on the way. */
export function runningContainers(): State[] {
  if (!existsSync(stateFolder)) return [];
  const states = readdirSync(stateFolder)
    .filter((name) => name.endsWith('.json'))
    .map((name): State => JSON.parse(readFileSync(join(stateFolder, name), 'utf8')));
  return states.filter(({ id, pid, startTime }) => {
    const alive = startTimeOf(pid) === startTime;
    if (!alive) dropState(id);
    return alive;
  });
}

/** @throws Error if no running container has this id, or ids that begin so are several. */
export function findContainer(name: string): State {
  const found = runningContainers().filter(({ id }) => id === name || id.startsWith(name));
  const exact = found.find(({ id }) => id === name) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact;
  throw new Error(
    `container ${name}: ${found.length === 0 ? 'does not exist or has ended' : 'more than one id begins so'}; tslab ps lists them`,
  );
}

function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may hold anything; field 3 comes after its end. A zombie (Z) has ended.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
