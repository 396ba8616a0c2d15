/** The operations of the OCI runtime specification (runtime.md, "Operations") on containers that outlive each command. */
import { closeSync, constants, existsSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeOf } from '../evidence/process.ts';
import { probe } from '../facts/probe.ts';
import type { Resources, Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { directoriesOf, freeze, isFrozen, pids, thaw } from './cgroup.ts';
import { apply, judge } from './cgroup-update.ts';
import { stateFolder } from './folders.ts';
import { poststart, poststop } from './hooks.ts';
import { ledgerFor, playLedger } from './ledgers.ts';
import { LifecycleError } from './lifecycle-error.ts';
import { type Container, carryOut, type StartOptions, start as startWith } from './run.ts';
import { sendSignal, signalProcess } from './signal.ts';
import { type Sockets, socketSteps } from './sockets.ts';
import { isAlive, isClaimed, readState, type State, saveSpec } from './state.ts';
import { propertySteps } from './systemd.ts';

/** runtime.md, "State". */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface CreateOptions extends StartOptions, Sockets {
  id: string;
  bundle: string;
}

const S_IFIFO = 0o010000;

/** What goes wrong between that word and the program is told through it. */
const resultOf = (id: string) => join(stateFolder, `${id}.result`);

/** The word to start arrives through it; as long as it is there, the container is created and not started. */
const fifoOf = (id: string) => join(stateFolder, `${id}.start`);

/** Everything but the program: its process waits until `start`. @throws StartError, PlanError */
export async function create(spec: Spec, options: CreateOptions): Promise<Container> {
  const { id } = options;
  if (isClaimed(id)) throw new LifecycleError(`container with given ID already exists: ${id}`);
  return await startWith(spec, {
    ...options,
    leave: true,
    before: fifos(id),
    after: [...socketSteps(spec.process, options), ...waiting(spec)],
  });
}

function fifos(id: string): Step[] {
  const common = { at: 'host', phase: 'prepare', from: { lesson: 'runtime' } } as const;
  const make = { ...common, kind: 'mknod', mode: S_IFIFO | 0o600, major: 0, minor: 0 } as const;
  // For both directions, so that it can be read before anybody writes (fifo(7)).
  const open = { ...common, kind: 'open', flags: ['O_RDWR'] } as const;
  return [
    { ...make, path: fifoOf(id), undo: { kind: 'unlink', path: fifoOf(id) } },
    { ...make, path: resultOf(id), undo: { kind: 'unlink', path: resultOf(id) } },
    { ...open, path: fifoOf(id), as: 'start' },
    { ...open, path: resultOf(id), as: 'result' },
  ];
}

/** What would make the program's start go wrong is found now, while there is somebody to tell. */
function waiting(spec: Spec): Step[] {
  const { args = [], env = [] } = spec.process ?? {};
  const common = { at: 'child', phase: 'start', from: { lesson: 'runtime' } } as const;
  return [
    {
      ...common,
      kind: 'lookup',
      from: { lesson: 'runtime', field: 'process.args' },
      program: args[0] ?? '',
      envp: env,
    },
    { ...common, kind: 'await', fd: 'start', result: 'result' },
  ];
}

/**
 * Resolves when the program runs.
 *
 * @throws LifecycleError unless it is created and not started, and when its program can't be run after all;
 *   StartError of a hook: then the container is stopped.
 */
export async function begin(id: string): Promise<void> {
  const state = inStatus(id, 'created', 'start');
  const result = openSync(resultOf(id), constants.O_RDONLY | constants.O_NONBLOCK);
  // Without O_NONBLOCK this would wait for ever if the process died a moment ago (fifo(7)): now it is ENXIO.
  const word = openSync(fifoOf(id), constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(word, '!');
  closeSync(word);
  rmSync(fifoOf(id));
  const failure = await readToEnd(result);
  if (failure !== '') throw new LifecycleError(`${id}: ${failure.trim()}`);
  await poststart(state, state.pid).catch(async (error) => {
    await sendSignal(state, os.signals.SIGKILL);
    throw error;
  });
}

/** Its end is the exec's doing: the descriptor is close-on-exec. */
async function readToEnd(fd: number): Promise<string> {
  const bytes = Buffer.alloc(1024);
  for (let text = ''; ; ) {
    try {
      const got = readSync(fd, bytes);
      if (got === 0) {
        closeSync(fd);
        return text;
      }
      text += bytes.toString('utf8', 0, got);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await sleep(1);
    }
  }
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
export async function remove(id: string, force = false): Promise<void> {
  if (!force) {
    const status = statusOf(existing(id));
    if (status !== 'stopped')
      throw new LifecycleError(
        `cannot delete a container that is ${status}: ${id}; kill it first, or delete --force`,
      );
  }
  if (!existsSync(ledgerFor(id))) return;
  const state = readState(id);
  const { outcome, said } = playLedger(ledgerFor(id));
  if (outcome !== 'undone') throw new Error(`container ${id}: ${said}`);
  if (state) await poststop(state);
}

/** @throws LifecycleError unless it runs. */
export async function pause(id: string): Promise<void> {
  await freeze(directoriesOf(inStatus(id, 'running', 'pause')));
}

/** @throws LifecycleError unless it is paused. */
export async function resume(id: string): Promise<void> {
  await thaw(directoriesOf(inStatus(id, 'paused', 'resume')));
}

/** Other limits than those it has; what is not named stays. @throws LifecycleError, PlanError, StartError */
export async function updateLimits(id: string, change: Resources): Promise<void> {
  const state = existing(id);
  if (!isAlive(state)) throw new LifecycleError(`container not running: ${id}`);
  const { spec } = state;
  const directories = directoriesOf(state);
  const facts = probe(spec);
  const { whole: resources, wanted } = judge(directories, facts, change, spec.linux?.resources);
  // The scope's first: under v1 the one above has to let the one below have more (sched-bwc.rst, "Hierarchical considerations").
  const properties = propertySteps(spec, facts, wanted);
  if (properties.length > 0) await carryOut({ version: 1, id, steps: properties });
  apply(directories, wanted);
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
