/** The operations of the OCI runtime specification (runtime.md, "Operations") on containers that outlive each command. */
import { closeSync, constants, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startTimeOf } from '../evidence/process.ts';
import { probe } from '../facts/probe.ts';
import type { Resources, Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { directoriesOf, freeze, isFrozen, pids, thaw } from './cgroup.ts';
import { update } from './cgroup-update.ts';
import { stateFolder } from './folders.ts';
import { ledgerFor, playLedger } from './ledgers.ts';
import { LifecycleError } from './lifecycle-error.ts';
import { type Container, type StartOptions, start as startWith } from './run.ts';
import { sendSignal, signalProcess } from './signal.ts';
import { type Sockets, socketSteps } from './sockets.ts';
import { isAlive, isClaimed, readState, type State, saveSpec } from './state.ts';

/** runtime.md, "State". */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface CreateOptions extends StartOptions, Sockets {
  id: string;
  bundle: string;
}

const S_IFIFO = 0o010000;

/** The word to start arrives through it; as long as it is there, the container is created and not started. */
const fifoOf = (id: string) => join(stateFolder, `${id}.start`);

/** Everything but the program: its process waits until `start`. @throws StartError, PlanError */
export async function create(spec: Spec, options: CreateOptions): Promise<Container> {
  const { id } = options;
  if (isClaimed(id)) throw new LifecycleError(`container with given ID already exists: ${id}`);
  return await startWith(spec, {
    ...options,
    leave: true,
    before: fifo(id),
    after: [...socketSteps(spec.process, options), ...waiting(spec)],
  });
}

function fifo(id: string): Step[] {
  const common = { at: 'host', phase: 'prepare', path: fifoOf(id), from: { lesson: 'runtime' } } as const;
  return [
    {
      ...common,
      kind: 'mknod',
      mode: S_IFIFO | 0o600,
      major: 0,
      minor: 0,
      undo: { kind: 'unlink', path: fifoOf(id) },
    },
    // For both directions, so that it can be read before anybody writes (fifo(7)).
    { ...common, kind: 'open', flags: ['O_RDWR'], as: 'start' },
  ];
}

/** What would make the program's start go wrong is found now, while there is somebody to tell. */
function waiting(spec: Spec): Step[] {
  const { args = [], env = [] } = spec.process ?? {};
  const common = { at: 'child', phase: 'start', from: { lesson: 'runtime' } } as const;
  return [
    { ...common, kind: 'lookup', program: args[0] ?? '', envp: env },
    { ...common, kind: 'await', fd: 'start' },
  ];
}

/** @throws LifecycleError unless it is created and not started. */
export function begin(id: string): void {
  inStatus(id, 'created', 'start');
  // Without O_NONBLOCK this would wait for ever if the process died a moment ago (fifo(7)): now it is ENXIO.
  const fd = openSync(fifoOf(id), constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(fd, '!');
  closeSync(fd);
  rmSync(fifoOf(id));
}

/**
 * @param all all of its processes; then it is no error either that the first one has ended.
 * @throws LifecycleError if it has no process any more.
 */
export async function kill(id: string, signal: number, all = false): Promise<void> {
  const state = existing(id);
  if (all && state.spec.linux?.cgroupsPath) {
    for (const pid of pids(directoriesOf(state))) {
      const startTime = startTimeOf(pid);
      if (startTime !== undefined) await signalProcess({ id, pid, startTime }, signal).catch(() => {}); // it has ended
    }
    return;
  }
  if (!isAlive(state)) throw new LifecycleError(`container not running: ${id}`);
  await sendSignal(state, signal);
}

/**
 * @param force also while it runs: it is killed; and also what a create that was killed left, which has no state yet.
 * @throws LifecycleError unless it has stopped; Error for what could not be undone.
 */
export function remove(id: string, force = false): void {
  if (!force) {
    const status = statusOf(existing(id));
    if (status !== 'stopped')
      throw new LifecycleError(
        `cannot delete a container that is ${status}: ${id}; kill it first, or delete --force`,
      );
  }
  if (!existsSync(ledgerFor(id))) return;
  const { outcome, said } = playLedger(ledgerFor(id));
  if (outcome !== 'undone') throw new Error(`container ${id}: ${said}`);
}

/** @throws LifecycleError unless it runs. */
export async function pause(id: string): Promise<void> {
  await freeze(directoriesOf(inStatus(id, 'running', 'pause')));
}

/** @throws LifecycleError unless it is paused. */
export async function resume(id: string): Promise<void> {
  await thaw(directoriesOf(inStatus(id, 'paused', 'resume')));
}

/** Other limits than those it has; what is not named stays. @throws LifecycleError, PlanError */
export function updateLimits(id: string, change: Resources): void {
  const state = existing(id);
  if (!isAlive(state)) throw new LifecycleError(`container not running: ${id}`);
  const { spec } = state;
  const resources = update(directoriesOf(state), probe(spec), change, spec.linux?.resources);
  saveSpec(state, { ...spec, linux: { ...spec.linux, resources } });
}

function inStatus(id: string, wanted: Status, operation: string): State {
  const state = existing(id);
  const status = statusOf(state);
  if (status !== wanted) throw new LifecycleError(`cannot ${operation} a container that is ${status}: ${id}`);
  return state;
}

/** @throws LifecycleError */
export function existing(id: string): State {
  const state = readState(id);
  // The words that engines look for.
  if (!state) throw new LifecycleError(`container does not exist: ${id}`);
  return state;
}

export function statusOf(state: State): Status {
  if (!isAlive(state)) return 'stopped';
  if (existsSync(fifoOf(state.id))) return 'created';
  return state.spec.linux?.cgroupsPath && isFrozen(directoriesOf(state)) ? 'paused' : 'running';
}
