/** Starts the launcher, hands it a plan, and listens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { packageRoot } from '../package-root.ts';
import { encode } from '../plan/encode.ts';
import type { Plan } from '../plan/step.ts';
import { EventReader, encodeCommand, type LaunchEvent } from './events.ts';

export const launcherPath = process.env.TSLAB_LAUNCHER ?? join(packageRoot, 'native/build/launch');

export type Stdio = 'pipe' | 'inherit' | 'ignore' | number;

export interface LaunchOptions {
  stdio: readonly [Stdio, Stdio, Stdio];
  /** Where the undo of each host step is written down. */
  ledger?: string;
  /** Wait for `go` before each step. */
  step?: boolean;
  /** Go on without us, and write the wait status into this file at the end. */
  detach?: { status: string };
  /** Go once the program runs, or waits for its start: whoever asked looks after it from then on. */
  leave?: boolean;
  /** Descriptors of ours that the program inherits, from 3 on. */
  pass?: readonly number[];
  /** Opens a further socket; the program inherits its other end as descriptor KEPT, if nothing is passed. */
  keep?: boolean;
}

/** Behind standard input, output and error; the launcher's own control socket comes last. */
export const KEPT = 3;

export interface Launch {
  process: ChildProcess;
  /** Our end of what the program inherited. */
  kept: Duplex | undefined;
  send(command: Parameters<typeof encodeCommand>[0], value?: number): void;
  /** Lets it go: the asking process may end. */
  release(): void;
}

/** @param onEvent is called for every event, in order. The launcher's own end is the process's `exit` event. */
export function launch(plan: Plan, options: LaunchOptions, onEvent: (event: LaunchEvent) => void): Launch {
  const { pass = [], keep } = options;
  const passed = pass.length + (keep ? 1 : 0);
  const args = [
    '--control',
    String(3 + passed),
    ...(options.ledger === undefined ? [] : ['--ledger', options.ledger]),
    ...(passed > 0 ? ['--pass', String(passed)] : []),
    ...(options.step ? ['--step'] : []),
    ...(options.leave ? ['--leave'] : []),
    ...(options.detach ? ['--detach', '--status', options.detach.status] : []),
  ];
  const sockets = keep ? (['pipe', 'pipe'] as const) : (['pipe'] as const);
  const child = spawn(launcherPath, args, { stdio: [...options.stdio, ...pass, ...sockets], env: {} });
  // Without them, the process was never made; its error tells.
  const ends = (child.stdio as unknown as (Duplex | null)[]).slice(3 + pass.length);
  const [control, kept] = [ends.at(-1), keep ? ends[0] : undefined];
  return {
    process: child,
    kept: kept ?? undefined,
    send: control ? converse(control, plan, onEvent) : () => {},
    release: () => {
      control?.destroy();
      child.unref();
    },
  };
}

/** Hands the plan to the launcher at the other end, wherever that runs. Returns how to send it commands. */
export function converse(control: Duplex, plan: Plan, onEvent: (event: LaunchEvent) => void): Launch['send'] {
  const reader = new EventReader();
  control.on('data', (chunk: Buffer) => {
    for (const event of reader.read(chunk)) onEvent(event);
  });
  control.on('error', () => {}); // the launcher has gone; its exit tells
  control.write(encode(plan));
  return (command, value) => control.write(encodeCommand(command, value));
}
