/** The running containers of this user: a small file each, which the launcher makes and takes away (its ledger knows it). */
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
  created: string;
  spec: Spec;
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

export function saveState(id: string, pid: number, spec: Spec): void {
  const startTime = startTimeOf(pid);
  if (startTime === undefined || !existsSync(fileOf(id))) return; // it has ended already
  const state: State = { id, pid, startTime, created: new Date().toISOString(), spec };
  writeFileSync(`${fileOf(id)}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${fileOf(id)}.new`, fileOf(id));
  // It ended while we wrote: its launcher may have taken the file away before we put it back.
  if (startTimeOf(pid) === undefined) rmSync(fileOf(id), { force: true });
}

/** Another config for one that runs, such as other limits. */
export function saveSpec(state: State, spec: Spec): void {
  writeFileSync(`${fileOf(state.id)}.new`, JSON.stringify({ ...state, spec }), { mode: 0o600 });
  renameSync(`${fileOf(state.id)}.new`, fileOf(state.id));
  if (startTimeOf(state.pid) !== state.startTime) rmSync(fileOf(state.id), { force: true });
}

/** Those whose first process is alive. */
export function runningContainers(): State[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => stateOf(name.slice(0, -'.json'.length)) ?? []);
}

/** Undefined if it does not run: never did, has ended, or is only being born. */
export function stateOf(id: string): State | undefined {
  let state: State;
  try {
    state = JSON.parse(readFileSync(fileOf(id), 'utf8'));
  } catch {
    return undefined; // gone meanwhile, or claimed and still empty
  }
  return startTimeOf(state.pid) === state.startTime ? state : undefined;
}
