/** What moves, on standard error: on a terminal a bar for each blob on its way, and elsewhere a line for each that has come. */
import type { WriteStream } from 'node:tty';
import type { Moved } from '../image/registry/progress.ts';
import { bytes } from './bytes.ts';

const WIDTH = 24;
const EVERY = 100; // ms
const words = {
  present: 'is there already',
  mounted: 'is there already, in a neighbour',
  done: 'done',
  moving: '',
};

export class Bars {
  readonly #out: WriteStream;
  readonly #quiet: boolean;
  readonly #moving = new Map<string, Moved>();
  #lines = 0;
  #drawn = 0;

  constructor(out: WriteStream, quiet: boolean) {
    this.#out = out;
    this.#quiet = quiet;
  }

  moved(blob: Moved): void {
    if (this.#quiet) return;
    if (blob.state === 'moving') {
      this.#moving.set(blob.digest, blob);
      if (this.#out.isTTY && performance.now() - this.#drawn >= EVERY) this.#draw();
      return;
    }
    this.#moving.delete(blob.digest);
    this.#say(`${short(blob)}  ${bytes(blob.size)}  ${words[blob.state]}`);
  }

  /** Also when quiet: it is out of the ordinary. */
  note(text: string): void {
    this.#say(`tslab: ${text}`);
  }

  end(): void {
    this.#erase();
    this.#moving.clear();
  }

  /** Above the bars, where it stays. */
  #say(line: string): void {
    this.#erase();
    this.#out.write(`${line}\n`);
    if (this.#out.isTTY) this.#draw();
  }

  #draw(): void {
    this.#erase();
    const most = Math.max((this.#out.rows || 24) - 1, 1);
    const lines = [...this.#moving.values()].slice(0, most).map(bar);
    // A line that wraps would be two to erase. A terminal that nobody has measured says 0.
    for (const line of lines) this.#out.write(`${line.slice(0, (this.#out.columns || 80) - 1)}\n`);
    this.#lines = lines.length;
    this.#drawn = performance.now();
  }

  #erase(): void {
    if (this.#lines > 0) this.#out.write(`\x1b[${this.#lines}A\x1b[J`);
    this.#lines = 0;
  }
}

const short = ({ digest }: Moved): string => digest.replace(/^\w+:/, '').slice(0, 12);

function bar(blob: Moved): string {
  const full = blob.size === 0 ? WIDTH : Math.floor((blob.done / blob.size) * WIDTH);
  return `${short(blob)}  [${'='.repeat(full).padEnd(WIDTH)}]  ${bytes(blob.done)} / ${bytes(blob.size)}`;
}
