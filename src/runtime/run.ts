/** Starts a container from a config: the library's heart, under `tslab run`, the course and everything else. */
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import type { Facts } from '../facts/facts.ts';
import { launch, launcherPath, type Stdio } from '../launch/launcher.ts';
import { StartError } from '../launch/start-error.ts';
import type { Spec } from '../oci/spec.ts';
import type { Plan, Step } from '../plan/step.ts';
import { withSubstitutes } from '../steps/idmap-mounts.ts';
import type { Stage } from '../steps/stage.ts';
import { type Exit, exitOf } from './exit.ts';
import { birthHooks, withHooks } from './hooks.ts';
import { launcherOf, ledgerFor, playLedger } from './ledgers.ts';
import { withAddress } from './network.ts';
import { withOwnCgroup } from './own-cgroup.ts';
import { planFor, warnings } from './plan.ts';
import { claim, saveState } from './state.ts';

/** @param stages undefined for all of the runtime's. */
export type Replace = (
  stages: readonly Stage[] | undefined,
  spec: Spec,
  facts: Facts,
  say: (text: string) => void,
) => Promise<readonly Stage[]>;

export interface StartOptions {
  /** Default: a random one. */
  id?: string;
  /** Default: all of the runtime. */
  stages?: readonly Stage[];
  /** Puts others in the place of some of them, once config and facts are settled. */
  replace?: Replace | undefined;
  /** Default: inherit. */
  stdio?: readonly [Stdio, Stdio, Stdio];
  /** Steps in front of those of the same phase that stages make… */
  before?: readonly Step[];
  /** …and behind them. */
  after?: readonly Step[];
  /** Kept with its state. */
  bundle?: string;
  /** Lives on when the asker ends; its wait status, a number, is written into that file. */
  detach?: { status: string };
  /** Nobody supervises it: once its program runs, or waits for its start, the launcher goes and the ledger stays. */
  leave?: boolean;
  /** See LaunchOptions, both. */
  pass?: readonly number[];
  keep?: boolean;
  /** Hears of what the config asks for and this host can't give, where the specification wants no more than a warning. */
  warn?: (text: string) => void;
}

export interface Container {
  readonly id: string;
  /** Its first process, as the host numbers it. */
  readonly pid: number;
  readonly launcherPid: number;
  readonly plan: Plan;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly kept: Duplex | undefined;
  /** Settles when the program has ended and everything is undone. For a detached one it may be left alone. */
  readonly exit: Promise<Exit>;
  kill(signal: NodeJS.Signals | number): void;
  /** Tells the program the size of its terminal. */
  resize(rows: number, columns: number): void;
  /** Kills it and waits until nothing is left. */
  stop(): Promise<void>;
  /** Lets go of a detached one, so that the asking process may end. */
  release(): void;
}

/**
 * The asked id, or a random one.
 *
 * @throws Error if it could not be a file's name, or would not read well in a command.
 */
export function newId(asked?: string): string {
  // A name, not a secret: node:crypto would cost a start several milliseconds.
  const id =
    asked ??
    Math.floor(Math.random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0');
  if (/^\w[\w.+-]{0,127}$/.test(id)) return id;
  throw new Error(`container name ${JSON.stringify(id)}: it takes letters, digits, _ . + -, 128 at most`);
}

/**
 * Makes the plan and performs it; resolves when the program runs.
 *
 * @throws StartError when a step fails: then everything is undone already.
 * @throws PlanError when no plan can be made of this config.
 */
export async function start(spec: Spec, options: StartOptions = {}): Promise<Container> {
  const id = newId(options.id);
  const { stages, before = [], after = [], bundle } = options;
  return await withAddress(id, spec, async (spec, probed) => {
    const container = { id, ...(bundle ? { bundle } : {}), waits: options.leave === true };
    const facts: Facts = { ...probed, container };
    const whole = withOwnCgroup(id, spec, facts, stages);
    const subject = { id, spec: whole, ...(bundle === undefined ? {} : { bundle }) };
    const around = { before: [claim(id), ...before], after: [...after, ...birthHooks(subject)] };
    const say = options.warn ?? (() => {});
    const chosen = options.replace
      ? await options.replace(stages, withSubstitutes(whole), facts, say)
      : stages;
    const plan = planFor(id, whole, facts, chosen, around);
    for (const text of warnings(whole, facts)) options.warn?.(text);
    return await withHooks(subject, options.leave === true, async () => {
      const started = await perform(plan, { ...options, ledger: ledgerFor(id) });
      saveState({ ...subject, pid: started.pid }, options.leave === true);
      return started;
    });
  });
}

/**
 * Runs a container from start to exit; by default the program shares our standard input and output.
 *
 * @returns how the program ended; nothing is left of the container then.
 * @throws StartError, PlanError: see `start`.
 */
export async function run(spec: Spec, options?: StartOptions): Promise<Exit> {
  return await (await start(spec, options)).exit;
}

/**
 * Performs steps of the host hand alone: no process is born.
 *
 * @throws StartError
 */
export function carryOut(plan: Plan): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    let said = '';
    const stdio = ['ignore', 'ignore', 'inherit'] as const;
    const hand = launch(plan, { stdio }, (event) => {
      if (event.type === 'said') said += event.said ?? '';
      else if (event.type === 'failed') failure = new StartError(plan, event.step, event.errno, said);
    });
    hand.process.once('error', (cause) => reject(notStarted(cause)));
    hand.process.once('close', (code, signal) => {
      if (failure) reject(failure);
      else if (code === 0) resolve();
      else reject(new Error(`launcher: ended by itself (${signal ?? code})`));
    });
  });
}

/** The name is another's, who has come first, or left something behind; nothing was done. */
export class TakenError extends Error {}

function noLedger(id: string, ledger: string, errno: number): Error {
  const [name, text] = getSystemErrorMap().get(-errno) ?? [String(errno), 'unknown error'];
  if (name === 'EEXIST' || name === 'EAGAIN')
    return new TakenError(`container ${id}: there is one of this name, or what is left of one: ${ledger}`);
  return new Error(
    `open(${JSON.stringify(ledger)}): ${name} (${text}): what is done could not be written down there`,
  );
}

const notStarted = (cause: Error) =>
  new Error(`spawn(${JSON.stringify(launcherPath)}): ${cause.message}. Type: sh scripts/set-up`);

export interface PerformOptions extends Pick<StartOptions, 'stdio' | 'detach' | 'leave' | 'pass' | 'keep'> {
  /** Needed as soon as a step of the host has an undo. */
  ledger?: string;
}

/** Performs a plan that is there already. */
export function perform(plan: Plan, options: PerformOptions = {}): Promise<Container> {
  return new Promise((resolve, reject) => {
    let pid = 0;
    let failure: Error | undefined;
    let status: number | undefined;
    let said = '';
    const exited = Promise.withResolvers<Exit>();
    exited.promise.catch(() => {}); // whoever waits will see it; nobody has to
    const { stdio = ['inherit', 'inherit', 'inherit'], leave, ledger } = options;
    let left = false;
    const hand = launch(plan, { ...options, stdio }, (event) => {
      if (event.type === 'born') pid = event.value;
      else if (event.type === 'said') said += event.said ?? '';
      else if (event.type === 'failed') failure = new StartError(plan, event.step, event.errno, said);
      else if (event.type === 'refused')
        failure = new Error(`launcher: the plan does not decode, byte ${event.value}`);
      else if (event.type === 'exited') status = event.value;
      else if (event.type === 'running' && !leave) resolve(container());
      else if (event.type === 'left') left = true;
      else if (event.type === 'taken') failure = noLedger(plan.id, ledger ?? '', event.errno);
    });
    hand.process.once('error', (cause) => reject(notStarted(cause)));
    // A launcher that was killed could not clean up after itself; its ledger says what there is to do. Now, not at
    // its `close`: what it left behind may hold on to our pipes.
    hand.process.once('exit', (code) => {
      // By now the name may be another container's, with a ledger of its own.
      if (code !== 0 && ledger !== undefined && launcherOf(ledger) === hand.process.pid) playLedger(ledger);
    });
    hand.process.once('close', (code, signal) => {
      if (left) {
        resolve(container());
        return;
      }
      const exit = status === undefined ? undefined : exitOf(status);
      if (exit) exited.resolve(exit);
      else
        exited.reject(
          failure ??
            new Error(`launcher: ended by itself (${signal ?? code}); tslab clean removes what is left`),
        );
      reject(failure ?? new Error(`launcher: ended before the program ran (${signal ?? code})`));
    });

    const container = (): Container => ({
      id: plan.id,
      pid,
      launcherPid: hand.process.pid ?? 0,
      plan,
      stdin: hand.process.stdin,
      stdout: hand.process.stdout,
      stderr: hand.process.stderr,
      kept: hand.kept,
      exit: exited.promise,
      kill: (signal) => hand.send('signal', typeof signal === 'number' ? signal : constants.signals[signal]),
      resize: (rows, columns) => hand.send('winsize', (rows << 16) | columns),
      stop: async () => {
        hand.send('abort');
        await exited.promise.catch(() => {});
      },
      release: hand.release,
    });
  });
}
