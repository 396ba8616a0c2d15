/** The containers of this user: a small file each, which the launcher makes and takes away (its ledger knows it). */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTimeOf } from '../evidence/process.ts';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { stateFolder } from './folders.ts';

export interface State {
  id: string;
  /** The first process, as the host numbers it. */
  pid: number;
  /** Clock ticks since boot (proc_pid_stat(5), field 22): with the pid, it names one process for ever. */
  startTime: number;
  /** ISO 8601. */
  created: string;
  spec: Spec;
  /** Where the config came from: an OCI bundle. */
  bundle?: string;
}

const fileOf = (id: string) => join(stateFolder, `${id}.json`);

/** From the first step of its plan until the last undo. */
export const isClaimed = (id: string): boolean => existsSync(fileOf(id));

/** The step that takes the name: O_EXCL lets one of two that want the same one have it. */
export function claim(id: string): Step {
  return {
    at: 'host',
    phase: 'prepare',
    kind: 'open',
    path: fileOf(id),
    flags: ['O_CREAT', 'O_EXCL'],
    mode: 0o600,
    undo: { kind: 'unlink', path: fileOf(id) },
    from: { lesson: 'runtime' },
  };
}

/** Nothing is written about a process that has ended already, or whose name is not claimed any more. */
export function saveState(state: Omit<State, 'startTime' | 'created'>): void {
  const { id, pid } = state;
  const startTime = startTimeOf(pid);
  if (startTime === undefined || !isClaimed(id)) return;
  const whole: State = { ...state, startTime, created: new Date().toISOString() };
  writeFileSync(`${fileOf(id)}.new`, JSON.stringify(whole), { mode: 0o600 });
  renameSync(`${fileOf(id)}.new`, fileOf(id));
  // It ended while we wrote: its launcher may have taken the file away before we put it back.
  if (startTimeOf(pid) === undefined && !existsSync(join(stateFolder, `${id}.ledger`)))
    rmSync(fileOf(id), { force: true });
}

/** Another config for one that runs, such as other limits. */
export function saveSpec(state: State, spec: Spec): void {
  writeFileSync(`${fileOf(state.id)}.new`, JSON.stringify({ ...state, spec }), { mode: 0o600 });
  renameSync(`${fileOf(state.id)}.new`, fileOf(state.id));
  if (startTimeOf(state.pid) !== state.startTime) rmSync(fileOf(state.id), { force: true });
}

/** What was saved, whatever has become of the process; undefined if there is none, or it is only being born. */
export function readState(id: string): State | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(id), 'utf8'));
  } catch {
    return undefined; // gone meanwhile, or claimed and still empty
  }
}

export const isAlive = ({ pid, startTime }: State): boolean => startTimeOf(pid) === startTime;

/** Undefined if it does not run: never did, has ended, or is only being born. */
export function stateOf(id: string): State | undefined {
  const state = readState(id);
  return state && isAlive(state) ? state : undefined;
}

export function allStates(): State[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => readState(name.slice(0, -'.json'.length)) ?? []);
}

/** Those whose first process is alive. */
export const runningContainers = (): State[] => allStates().filter(isAlive);
