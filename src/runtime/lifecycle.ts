/** The operations of the OCI runtime specification (runtime.md, "Operations") on containers that outlive each command. */
import { existsSync } from 'node:fs';
import { constants as os } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { probe } from '../facts/probe.ts';
import { StartError } from '../launch/start-error.ts';
import { namespace, type Resources, type Spec } from '../oci/spec.ts';
import { directoriesOf, freeze, isFrozen, killAll, pids, thaw } from './cgroup.ts';
import { apply, judge } from './cgroup-update.ts';
import { poststart, poststop } from './hooks.ts';
import { ledgerPath, playLedger } from './ledgers.ts';
import { LifecycleError } from './lifecycle-error.ts';
import type { News } from './notify.ts';
import { type Container, carryOut, newId, type StartOptions, start as startWith, TakenError } from './run.ts';
import { sendSignal, signalProcesses } from './signal.ts';
import { type Sockets, socketSteps } from './sockets.ts';
import { fifos, isWaiting, sayStart, waiting } from './start-word.ts';
import { forgetState, isAlive, isClaimed, readState, type State, saveSpec } from './state.ts';
import { propertySteps } from './systemd.ts';

/** runtime.md, "State". */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface CreateOptions extends StartOptions, Sockets {
  id: string;
  bundle: string;
}

/** Everything but the program: its process waits until `start`. @throws StartError, PlanError, LifecycleError if the id is taken. */
export async function create(spec: Spec, options: CreateOptions): Promise<Container> {
  const { id, before = [], after = [] } = options;
  const taken = () => new LifecycleError(`container with given ID already exists: ${id}`);
  if (isClaimed(newId(id))) throw taken();
  try {
    return await startWith(spec, {
      ...options,
      leave: true,
      before: [...fifos(id), ...before],
      after: [...after, ...socketSteps(spec.process, options), ...waiting(spec)],
    });
  } catch (error) {
    throw error instanceof TakenError || (error instanceof StartError && isClaim(error)) ? taken() : error;
  }
}

/** The first step of all: see state.ts. */
const isClaim = ({ errno, step }: StartError) =>
  errno === 'EEXIST' && step.kind === 'open' && step.flags.includes('O_EXCL');

export interface BeginOptions {
  /** A service manager's socket: then it is also waited for that the program says it is ready, or ends (sd_notify(3)). */
  notify?: string | undefined;
  /** Hears that the service manager could not be told. */
  warn?: (text: string) => void;
}

/**
 * Resolves when the program runs.
 *
 * @throws LifecycleError unless it is created and not started, and when its program can't be run after all;
 *   StartError of a hook: then the container is stopped.
 */
export async function begin(id: string, { notify, warn }: BeginOptions = {}): Promise<void> {
  const state = inStatus(id, 'created', 'start');
  const notices = notify === undefined ? undefined : await import('./notify.ts');
  const news = existsSync(notices?.notifyFolder(id) ?? '') ? await notices?.listen(id, false) : undefined;
  try {
    await sayStart(id);
    await poststart(state, state.pid).catch(async (error) => {
      await sendSignal(state, os.signals.SIGKILL);
      throw error;
    });
    if (notify !== undefined && news && (await isReady(news, state)))
      await notices?.passOn(id, notify, state.pid).catch((error) => warn?.(error.message));
  } finally {
    news?.cancel();
  }
}

/** Whoever never says it ends some day. */
async function isReady(news: News, state: State): Promise<boolean> {
  const look = setInterval(() => isAlive(state) || news.cancel(), 50);
  return await news.ready.finally(() => clearInterval(look));
}

/**
 * @param all all of its processes; then it is no error either that the first one has ended.
 * @throws LifecycleError if it has no process any more.
 */
export async function kill(id: string, signal: number, all = false): Promise<void> {
  const state = existing(id);
  const { linux } = state.spec;
  if (all && linux?.cgroupsPath) {
    const directories = directoriesOf(state);
    if (signal === os.signals.SIGKILL) await killAll(directories, 1000);
    else await signalProcesses(id, signal, () => pids(directories));
    return;
  }
  // Where there is no cgroup to count them, one signal still ends them all: they go with PID 1 (pid_namespaces(7)).
  if (all && !(signal === os.signals.SIGKILL && namespace(state.spec, 'pid')))
    throw new LifecycleError(
      `kill --all: container ${id} has no cgroup of its own, so nobody knows all of its processes`,
    );
  if (!isAlive(state)) throw new LifecycleError(`container not running: ${id}`);
  await sendSignal(state, signal);
}

/** How long somebody else may take to clean up. */
const PATIENCE = 10_000;

/**
 * @param force also while it runs: it is killed; and also what a create that was killed left, which has no state yet.
 * @throws LifecycleError unless it has stopped; Error for what could not be undone.
 */
export async function remove(id: string, force = false): Promise<void> {
  const before = force ? readState(newId(id)) : existing(id);
  if (before && !force) demandStopped(before);
  const ledger = ledgerPath(id);
  for (const end = Date.now() + PATIENCE; existsSync(ledger); await sleep(20)) {
    const state = readState(id) ?? before;
    const { outcome, said } = playLedger(ledger);
    if (outcome === 'undone') {
      forgetState(id);
      if (state) await poststop(state);
      return;
    }
    if (outcome === 'gone') break;
    if (outcome === 'left' || Date.now() > end) throw new Error(`container ${id}: ${said}`);
    // Its launcher lives: it cleans up as soon as the container ends. Or somebody else deletes it at this moment.
    if (force && state && isAlive(state)) await sendSignal(state, os.signals.SIGKILL).catch(() => {});
  }
  forgetState(id);
}

function demandStopped(state: State): void {
  const status = statusOf(state);
  if (status === 'stopped') return;
  throw new LifecycleError(
    `cannot delete container ${state.id} that is not stopped: ${status}; kill it first, or delete --force`,
  );
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
  if (status === 'stopped')
    throw new LifecycleError(
      `cannot ${operation} a container that has stopped; container not running: ${id}`,
    );
  if (status !== wanted) throw new LifecycleError(`cannot ${operation} a container that is ${status}: ${id}`);
  return state;
}

/** @throws LifecycleError */
export function existing(id: string): State {
  const state = readState(newId(id));
  // The words that engines look for.
  if (!state) throw new LifecycleError(`container does not exist: ${id}`);
  return state;
}

export function statusOf(state: State): Status {
  if (!isAlive(state)) return 'stopped';
  if (isWaiting(state.id)) return 'created';
  return state.spec.linux?.cgroupsPath && isFrozen(directoriesOf(state)) ? 'paused' : 'running';
}
