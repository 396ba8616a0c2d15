/** A shell that stays: commands go in one by one, each with its output and status coming back. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';

/** The process behind a shell, wherever it runs. Its standard error has to go where its output goes, or to nowhere. */
export interface ShellProcess {
  stdin: Writable;
  stdout: Readable;
  /** Kills it and whatever it started. */
  kill(): void;
  exit: Promise<{ code: number } | { signal: string }>;
}

export interface Result {
  output: string;
  /** The exit status; 128 + number for a signal, as a shell says it. Undefined after the time limit. */
  status: number | undefined;
  /** Why there will be no further command: the shell ended with this one, or had to be killed. */
  over?: 'ended' | 'time';
}

/** Prints the mark on a line of its own, and hands the status on, so that the next command finds it in $?. */
const preamble = `exec 2>&1\n__end() { printf '\\n%s %s\\n' "$1" "$2"; return "$2"; }\n`;
const MAX_OUTPUT = 1024 * 1024;

export class Shell {
  readonly #process: ShellProcess;
  #buffer = '';
  #wake: () => void = () => {};
  #ended: { status: number } | undefined;
  #begun = false;

  constructor(process: ShellProcess) {
    this.#process = process;
    process.stdin.on('error', () => {}); // the shell may have ended: its exit tells
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#buffer += text;
      // A flood keeps its beginning, and its end, where the mark will be.
      if (this.#buffer.length > 2 * MAX_OUTPUT)
        this.#buffer = this.#buffer.slice(0, MAX_OUTPUT) + this.#buffer.slice(-200);
      this.#wake();
    });
    const closed = new Promise((done) => process.stdout.once('close', done));
    process.exit.then(async (exit) => {
      // What it said last may still be in the pipe; somebody it started may hold the pipe open.
      await Promise.race([closed, new Promise((done) => setTimeout(done, 100))]);
      this.#ended = {
        status: 'code' in exit ? exit.code : 128 + (constants.signals[exit.signal as NodeJS.Signals] ?? 0),
      };
      this.#wake();
    });
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  async run(command: string, ms: number): Promise<Result> {
    const mark = `end-${randomBytes(8).toString('hex')}`;
    if (!this.#begun) this.#process.stdin.write(preamble);
    this.#begun = true;
    // Standard input is an empty here-document: it needs no /dev/null, which a young container has not got, and no subshell.
    this.#process.stdin.write(`{\n${command}\n} <<'${mark}'\n${mark}\n__end ${mark} $?\n`);
    const pattern = new RegExp(`\\n?${mark} (\\d+)\\n`);
    const deadline = performance.now() + ms;
    for (;;) {
      const found = pattern.exec(this.#buffer);
      if (found) return { output: this.#take(found.index, found[0].length), status: Number(found[1]) };
      if (this.#ended)
        return { output: this.#take(this.#buffer.length, 0), status: this.#ended.status, over: 'ended' };
      if (performance.now() >= deadline) {
        this.#process.kill();
        return { output: this.#take(this.#buffer.length, 0), status: undefined, over: 'time' };
      }
      await this.#changed(deadline - performance.now());
    }
  }

  /** Ends it, with all that it started. */
  async close(): Promise<void> {
    this.#process.kill();
    await this.#process.exit;
  }

  #take(length: number, mark: number): string {
    const output = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length + mark);
    return output.replace(/\r\n/g, '\n').replace(/\n$/, '');
  }

  #changed(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
