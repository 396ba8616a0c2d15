/** Signals to containers: always by descriptor, never to a number that may be another's by now. */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeOf } from '../evidence/process.ts';
import { StartError } from '../launch/start-error.ts';
import type { Step } from '../plan/step.ts';
import { directoriesOf, thaw } from './cgroup.ts';
import { ledgerFor, playLedger } from './ledgers.ts';
import { LifecycleError } from './lifecycle-error.ts';
import { carryOut } from './run.ts';
import { isClaimed, type State, stateOf } from './state.ts';

/** Real-time signals as glibc counts them: it keeps the kernel's first two (signal(7)). */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/**
 * @param text a name with or without SIG, in either case, RTMIN+n, RTMAX-n, or a number; 0 only asks whether there is somebody (kill(2)).
 * @throws Error naming what it takes.
 */
export function signalNumber(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  const number = realTime
    ? (realTime[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + Number(`${realTime[2] ?? ''}${realTime[3] ?? 0}`)
    : (constants.signals[`SIG${name}` as NodeJS.Signals] ?? (/^\d+$/.test(text) ? Number(text) : Number.NaN));
  if (number >= 0 && number <= SIGRTMAX) return number;
  throw new Error(`signal ${text}: it takes a name such as TERM or SIGTERM, or a number up to ${SIGRTMAX}`);
}

/** A signal for the first process of a container. @throws Error if it has ended meanwhile. */
export async function sendSignal(state: State, signal: number): Promise<void> {
  await signalProcess(state, signal);
  if (signal === constants.signals.SIGKILL) await letDie(state);
}

/** A signal for any of its processes. @throws Error if it has ended meanwhile. */
async function signalProcess({ id, pid, startTime }: State, signal: number): Promise<void> {
  try {
    await carryOut({ version: 1, id, steps: signalSteps(pid, startTime, signal) });
  } catch (error) {
    if (error instanceof StartError && error.errno === 'ESRCH')
      throw new LifecycleError(`container not running: ${id}: process already finished`);
    throw error;
  }
}

/**
 * A signal for many. Who ends meanwhile is left out; who is born meanwhile may be.
 *
 * @param list their numbers. Asked for twice: whose start time was read in between is known to be one of them, and not
 *   somebody who got the number of one.
 */
export async function signalProcesses(id: string, signal: number, list: () => number[]): Promise<void> {
  const times = new Map(list().map((pid) => [pid, startTimeOf(pid)]));
  const steps = list().flatMap((pid) => {
    const startTime = times.get(pid);
    return startTime === undefined ? [] : signalSteps(pid, startTime, signal, ['ESRCH', 'EBADF']);
  });
  for (let at = 0; at < steps.length; at += STEPS)
    await carryOut({ version: 1, id, steps: steps.slice(at, at + STEPS) });
}

/** A plan holds 4096 (native/README.md). */
const STEPS = 4000;

function signalSteps(
  pid: number,
  startTime: number,
  signal: number,
  tolerate: readonly string[] = [],
): Step[] {
  const common = { at: 'host', phase: 'prepare', from: { lesson: 'runtime' }, tolerate } as const;
  return [
    { ...common, kind: 'pidfd', pid, startTime, as: 'target' },
    { ...common, kind: 'signal', fd: 'target', signal },
  ];
}

/** What v1's freezer holds dies only when it is let go (freezer-subsystem.rst). */
async function letDie(state: State): Promise<void> {
  if (!state.spec.linux?.cgroupsPath) return;
  const directories = directoriesOf(state);
  if (directories.unified === undefined && directories.controllers.freezer !== undefined)
    await thaw(directories).catch(() => {}); // it is gone already
}

/** Resolves when the container has ended and nothing is left of it; false if that takes longer than `patience` ms. */
export async function ends(id: string, patience = Number.POSITIVE_INFINITY): Promise<boolean> {
  const begun = Date.now();
  for (let dead: number | undefined; isClaimed(id); await sleep(20)) {
    if (!stateOf(id)) dead ??= Date.now();
    // Its launcher was killed as well, or it would have cleaned up by now.
    if (dead !== undefined && Date.now() - dead > 5000)
      return ['undone', 'gone'].includes(playLedger(ledgerFor(id)).outcome);
    if (Date.now() - begun > patience) return false;
  }
  return true;
}
