/** Starts a container from a config: the library's heart, under `tslab run`, the course and everything else. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { launch, launcherPath, type Stdio } from '../launch/launcher.ts';
import { StartError } from '../launch/start-error.ts';
import type { Spec } from '../oci/spec.ts';
import type { Plan } from '../plan/step.ts';
import type { Draft, Stage } from '../steps/stage.ts';
import { ledgerFor, playLedger } from './ledgers.ts';
import { withAddress } from './network.ts';
import { planFor } from './plan.ts';
import { dropState, saveState } from './state.ts';

export interface StartOptions {
  /** Default: a random one. */
  id?: string;
  /** Default: all of the runtime. */
  stages?: readonly Stage[];
  /** Default: inherit. */
  stdio?: readonly [Stdio, Stdio, Stdio];
  /** Host steps in front of the plan. */
  before?: readonly Draft[];
}

export type Exit = { code: number } | { signal: NodeJS.Signals };

export interface Container {
  readonly id: string;
  /** Its first process, as the host numbers it. */
  readonly pid: number;
  readonly launcherPid: number;
  readonly plan: Plan;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Settles when the program has ended and everything is undone. */
  readonly exit: Promise<Exit>;
  kill(signal: NodeJS.Signals | number): void;
  /** Tells the program the size of its terminal. */
  resize(rows: number, columns: number): void;
  /** Kills it and waits until nothing is left. */
  stop(): Promise<void>;
}

/**
 * Makes the plan and performs it; resolves when the program runs.
 *
 * @throws StartError when a step fails: then everything is undone already.
 * @throws PlanError when no plan can be made of this config.
 */
export async function start(spec: Spec, options: StartOptions = {}): Promise<Container> {
  const id = options.id ?? randomBytes(6).toString('hex');
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id))
    throw new Error(`container name ${JSON.stringify(id)}: it takes letters, digits, _ . -, 128 at most`);
  const [container, settled] = await withAddress(spec, async (spec, facts) =>
    perform(planFor(id, spec, facts, options.stages, options.before), options),
  );
  saveState(id, container.pid, settled);
  container.exit.finally(() => dropState(id)).catch(() => {}); // the asker hears of it
  return container;
}

/** Performs a plan that is there already. */
export function perform(plan: Plan, options: StartOptions = {}): Promise<Container> {
  return new Promise((resolve, reject) => {
    let pid = 0;
    let failure: Error | undefined;
    let status: number | undefined;
    let said = '';
    const exited = Promise.withResolvers<Exit>();
    exited.promise.catch(() => {}); // whoever waits will see it; nobody has to
    const { stdio = ['inherit', 'inherit', 'inherit'] } = options;
    const ledger = ledgerFor(plan.id);
    const hand = launch(plan, { stdio, ledger }, (event) => {
      if (event.type === 'born') pid = event.value;
      else if (event.type === 'said') said += event.said ?? '';
      else if (event.type === 'failed') failure = new StartError(plan, event.step, event.errno, said);
      else if (event.type === 'refused')
        failure = new Error(`launcher: the plan does not decode, byte ${event.value}`);
      else if (event.type === 'exited') status = event.value;
      else if (event.type === 'running') resolve(container());
    });
    hand.process.once('error', (cause) =>
      reject(new Error(`spawn(${JSON.stringify(launcherPath)}): ${cause.message}. Type: sh scripts/set-up`)),
    );
    hand.process.once('close', (code, signal) => {
      // A launcher that was killed could not clean up after itself; its ledger says what there is to do.
      if (existsSync(ledger)) playLedger(ledger);
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
      exit: exited.promise,
      kill: (signal) => hand.send('signal', typeof signal === 'number' ? signal : constants.signals[signal]),
      resize: (rows, columns) => hand.send('winsize', (rows << 16) | columns),
      stop: async () => {
        hand.send('abort');
        await exited.promise.catch(() => {});
      },
    });
  });
}

/** wait(2)'s status word. */
function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { signal: (name ?? `SIG${signal}`) as NodeJS.Signals };
}
