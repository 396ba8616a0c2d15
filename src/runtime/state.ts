/** The containers of this user: a small file each, which the launcher makes and takes away (its ledger knows it). */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

/**
 * Nothing is written about a process whose name is not claimed any more.
 *
 * @param stays its end is not its state's: somebody deletes it. Else nothing is written of one that has ended already.
 */
export function saveState(state: Omit<State, 'startTime' | 'created'>, stays: boolean): void {
  const { id, pid } = state;
  const startTime = startTimeOf(pid);
  if ((startTime === undefined && !stays) || !isClaimed(id)) return;
  // No process began with the system itself.
  write({ ...state, startTime: startTime ?? -1, created: new Date().toISOString() });
}

function write(state: State): void {
  const file = fileOf(state.id);
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  // It ended while we wrote, and who cleaned up may have taken the file away before we put it back.
  if (isStray(state.id)) rmSync(file, { force: true });
}

/** A claim is made after the ledger that will take it back, and goes before it. */
const isStray = (id: string) => isClaimed(id) && !existsSync(join(stateFolder, `${id}.ledger`));

/** What a writer that was killed left, once the ledger has been played. */
export function forgetState(id: string): void {
  if (existsSync(join(stateFolder, `${id}.ledger`))) return; // another's by now
  if (isStray(id)) rmSync(fileOf(id), { force: true });
  rmSync(`${fileOf(id)}.new`, { force: true });
}

/** Another config for one that runs, such as other limits. */
export function saveSpec(state: State, spec: Spec): void {
  write({ ...state, spec });
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

export const allStates = (): State[] => allIds('.json').flatMap((id) => readState(id) ?? []);

/** Also of those that a create which was killed left, and that have no state yet. */
export function allIds(suffix: '.json' | '.ledger' = '.ledger'): string[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
}

/** Who made it. */
export const uidOfState = (id: string): number | undefined =>
  statSync(fileOf(id), { throwIfNoEntry: false })?.uid;

/** Those whose first process is alive. */
export const runningContainers = (): State[] => allStates().filter(isAlive);
