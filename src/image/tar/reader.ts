/**
 * Reads a tar stream piece by piece: bytes go in by write(), entries come out of a handler, and nothing is kept but the header at hand.
 * What different readers could take differently is an error.
 */
import { shown } from '../../sys/at.ts';
import { counts, type Entry, type Headed, wholeEntry } from './entry.ts';
import { BLOCK, type Header, isZero, readHeader } from './header.ts';
import { parseRecords } from './pax.ts';

export interface Handler {
  entry(entry: Entry): void;
  /** A file's bytes, in order, and where in the file they are; the buffer is the caller's again afterwards. */
  data(bytes: Buffer, at: number): void;
  /** Of each entry, after its last byte. */
  end(): void;
}

/** What stands before an entry and says more about it. */
const metaTypes = { x: 'extended header', g: 'global header', L: 'long name', K: 'long link' } as const;
type MetaType = keyof typeof metaTypes;

/** Names have at most 4 KiB and xattrs 64, so one of a MiB has no honest use. */
const META = 1 << 20;

export class TarReader {
  readonly #handler: Handler;
  #state: 'header' | 'map' | 'body' | 'meta' | 'padding' | 'over' = 'header';
  #headed: Headed | undefined;
  /** Where in the file the body's next bytes go, how many are to go there, and which region of a sparse one comes next. */
  #at = 0;
  #room = 0;
  #next = 0;
  /** Bytes of a body, a meta entry or its padding that are still to come. */
  #remain = 0;
  #padding = 0;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #meta: { type: MetaType; bytes: Buffer; filled: number } | undefined;
  #pending = new Map<MetaType, Buffer>();
  #sawZero = false;
  #where = 'the first entry';

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  /** @throws Error that names the entry, or the one before. */
  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#state === 'over') return;
      at += this[`_${this.#state}`](chunk, at);
    }
  }

  /** @throws Error if the stream ended before the archive did. */
  close(): void {
    const cut = this.#filled > 0 || this.#pending.size > 0 || this.#sawZero;
    if (this.#state === 'over' || (this.#state === 'header' && !cut)) return;
    throw new Error(`layer: it ends in the middle of ${this.#where}`);
  }

  /** Each takes what it can of the chunk, and says how much that was. */
  _header(chunk: Buffer, at: number): number {
    return this.#fill(chunk, at, () => this.#takeHeader());
  }

  _map(chunk: Buffer, at: number): number {
    return this.#fill(chunk, at, () => this.#takeMap());
  }

  #fill(chunk: Buffer, at: number, whenFull: () => void): number {
    const took = chunk.copy(this.#block, this.#filled, at, at + BLOCK - this.#filled);
    this.#filled += took;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      whenFull();
    }
    return took;
  }

  _body(chunk: Buffer, at: number): number {
    const regions = this.#headed?.entry.sparse ?? [];
    // The map is of as many bytes as the body, so there is one as long as a byte is to come.
    while (this.#room === 0) [this.#at, this.#room] = regions[this.#next++] ?? [0, this.#remain];
    const took = Math.min(this.#room, chunk.length - at);
    this.#handler.data(chunk.subarray(at, at + took), this.#at);
    this.#at += took;
    this.#room -= took;
    this.#remain -= took;
    if (this.#remain === 0) this.#endBody();
    return took;
  }

  _meta(chunk: Buffer, at: number): number {
    const meta = this.#meta;
    if (!meta) throw new Error('no meta entry is being read');
    const took = chunk.copy(meta.bytes, meta.filled, at, at + this.#remain);
    meta.filled += took;
    this.#remain -= took;
    if (this.#remain === 0) {
      this.#takeMeta(meta.type, meta.bytes);
      this.#pad();
    }
    return took;
  }

  _padding(chunk: Buffer, at: number): number {
    const took = Math.min(this.#padding, chunk.length - at);
    this.#padding -= took;
    if (this.#padding === 0) this.#state = 'header';
    return took;
  }

  #takeHeader(): void {
    if (isZero(this.#block)) {
      // Two of them are the end; whatever follows is none of the archive's.
      if (this.#pending.size > 0) throw this.#fault('the end, right after a header that is about an entry');
      this.#state = this.#sawZero ? 'over' : 'header';
      this.#sawZero = true;
      return;
    }
    if (this.#sawZero) throw this.#fault('one block of zeros, where an end has two');
    const header = this.#named(() => readHeader(this.#block));
    this.#padding = (BLOCK - (header.size % BLOCK)) % BLOCK;
    if (Object.hasOwn(metaTypes, header.type)) this.#beginMeta(header);
    else this.#beginEntry(header);
  }

  #beginMeta({ type, size }: Header): void {
    const kind = type as MetaType;
    if (size < 0 || size > META) throw this.#fault(`a ${metaTypes[kind]} of ${size} bytes`);
    if (this.#pending.has(kind)) throw this.#fault(`a second ${metaTypes[kind]} for the same entry`);
    this.#meta = { type: kind, bytes: Buffer.alloc(size), filled: 0 };
    this.#remain = size;
    this.#state = 'meta';
    if (size === 0) {
      this.#takeMeta(kind, this.#meta.bytes);
      this.#pad();
    }
  }

  #takeMeta(type: MetaType, bytes: Buffer): void {
    this.#meta = undefined;
    if (type !== 'g') {
      this.#pending.set(type, bytes);
      return;
    }
    // Comments and the like may stand there. Readers differ in what else they take from it.
    for (const key of this.#named(() => parseRecords(bytes)).keys())
      if (counts(key)) throw this.#fault(`a global header that says ${key} of all entries`);
  }

  #beginEntry(header: Header): void {
    const headed = this.#named(() => wholeEntry(header, this.#block, this.#pending));
    const { entry, stored, sparse } = headed;
    this.#headed = headed;
    this.#where = shown(entry.path);
    this.#pending.clear();
    this.#remain = stored;
    this.#padding = (BLOCK - (stored % BLOCK)) % BLOCK;
    if (sparse?.more) this.#state = 'map';
    else this.#beginBody(headed);
  }

  #takeMap(): void {
    const headed = this.#headed;
    const { sparse } = headed ?? {};
    if (!headed || !sparse?.more) throw new Error('no map is being read');
    if (sparse.inside) this.#remain -= BLOCK;
    if (this.#remain < 0) throw this.#fault('a sparse map that is longer than the entry');
    if (this.#named(() => sparse.more?.(this.#block))) this.#beginBody(headed);
  }

  #beginBody({ entry, sparse }: Headed): void {
    this.#named(() => sparse?.map.finish(this.#remain));
    [this.#room, this.#next] = [0, 0];
    this.#handler.entry(entry);
    this.#state = 'body';
    if (this.#remain === 0) this.#endBody();
  }

  #endBody(): void {
    this.#handler.end();
    this.#pad();
  }

  #pad(): void {
    this.#state = this.#padding === 0 ? 'header' : 'padding';
  }

  #named<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#fault((error as Error).message);
    }
  }

  /** A broken header has no name that could be believed, so the last good one says where it is. */
  #fault = (what: string): Error => new Error(`layer: at or after ${this.#where}: ${what}`);
}
