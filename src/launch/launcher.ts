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
  /** Opens a further socket; the program inherits its other end as descriptor KEPT. */
  keep?: boolean;
}

/** Beside 0 to 2 and the launcher's own control socket. */
export const KEPT = 4;

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
  const args = [
    '--control',
    '3',
    ...(options.ledger === undefined ? [] : ['--ledger', options.ledger]),
    ...(options.keep ? ['--keep', String(KEPT)] : []),
    ...(options.step ? ['--step'] : []),
    ...(options.leave ? ['--leave'] : []),
    ...(options.detach ? ['--detach', '--status', options.detach.status] : []),
  ];
  const sockets = options.keep ? (['pipe', 'pipe'] as const) : (['pipe'] as const);
  const child = spawn(launcherPath, args, { stdio: [...options.stdio, ...sockets], env: {} });
  // Without them, the process was never made; its error tells.
  const [control, kept] = (child.stdio as unknown as (Duplex | null)[]).slice(3);
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
