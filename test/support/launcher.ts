/** An asker of the launcher, for its tests: a control socket, the events that come, and nothing more. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { EventReader, encodeCommand, type LaunchEvent } from '../../src/launch/events.ts';
import { encode } from '../../src/plan/encode.ts';
import type { Call, Step, Undo } from '../../src/plan/step.ts';

/** TSLAB_LAUNCHER: the same tests with the sanitizers' build. */
export const launcher =
  process.env.TSLAB_LAUNCHER ?? resolve(import.meta.dirname, '../../native/build/launch');

const common = { phase: 'prepare', from: { lesson: 'test' } } as const;
type More = { tolerate?: readonly string[]; undo?: Undo };
export const host = (call: Call, more: More = {}): Step =>
  ({ ...common, at: 'host', ...call, ...more }) as Step;
export const child = (call: Call, more: More = {}): Step =>
  ({ ...common, at: 'child', ...call, ...more }) as Step;
export const sh = (script: string): Step =>
  child({ kind: 'exec', argv: ['/bin/sh', '-c', script], envp: ['PATH=/usr/bin:/bin'] });
export const bytes = (steps: readonly Step[]): Buffer => encode({ version: 1, id: 'test', steps });

export type Event = LaunchEvent;

/** One launcher with a control socket on its descriptor 3. */
export class Launch {
  readonly process: ChildProcess;
  readonly control: Duplex;
  readonly events: Event[] = [];
  readonly exit: Promise<number | NodeJS.Signals>;
  readonly #reader = new EventReader();
  #wake: () => void = () => {};

  constructor(
    plan: Buffer | readonly Step[],
    options: readonly string[] = [],
    stdio: StdioOptions = 'ignore',
    /** A command in front of it, such as one that enters another namespace. */
    before: readonly string[] = [],
  ) {
    const three = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
    const [command = launcher, ...args] = [...before, launcher, '--control', '3', ...options];
    this.process = spawn(command, args, {
      stdio: [...three, 'pipe'] as StdioOptions,
    });
    this.control = this.process.stdio[3] as Duplex;
    this.control.on('data', (data: Buffer) => this.#take(data)).on('error', () => {});
    this.exit = new Promise((done) => this.process.on('close', (code, signal) => done(code ?? signal ?? 0)));
    this.exit.then(() => this.#wake());
    this.control.write(Buffer.isBuffer(plan) ? plan : bytes(plan as readonly Step[]));
  }

  #take(data: Buffer): void {
    this.events.push(...this.#reader.read(data));
    this.#wake();
  }

  send(type: Parameters<typeof encodeCommand>[0], value = 0): void {
    this.control.write(encodeCommand(type, value));
  }

  /** Resolves with the n-th event of that type, as soon as it is there. */
  async until(type: Event['type'], n = 1): Promise<Event> {
    for (;;) {
      const found = this.events.filter((event) => event.type === type)[n - 1];
      if (found) return found;
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`the launcher ended before "${type}": ${this.told()}`);
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
  }

  async output(): Promise<string> {
    let text = '';
    for await (const chunk of this.process.stdout as Readable) text += chunk;
    return text;
  }

  /** The events in short: `done 0, failed 1 (2)`. */
  told(): string {
    return this.events.map((e) => `${e.type} ${e.step}${e.errno ? ` (${e.errno})` : ''}`).join(', ');
  }
}

/** Performs a plan to its end without a control socket. */
export function perform(steps: readonly Step[], options: readonly string[] = []) {
  using scratch = new Scratch();
  const file = scratch.path('plan');
  writeFileSync(file, bytes(steps));
  return spawnSync(launcher, ['--plan', file, ...options], { encoding: 'utf8', timeout: 20_000 });
}

/** A directory for one test. */
export class Scratch {
  readonly dir = mkdtempSync(join(tmpdir(), 'tslab-launcher-'));
  path(name: string): string {
    return join(this.dir, name);
  }
  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
