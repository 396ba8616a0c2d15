/**
 * Reads a tar stream piece by piece: bytes go in by write(), entries come out of a handler, and nothing is kept but the header at hand.
 * What different readers could take differently is an error.
 */
import { type Bytes, shown, type Time } from '../sys/at.ts';
import { parseRecords, type Records, recordNumber, recordTime } from './pax.ts';
import { BLOCK, type Header, isZero, readHeader } from './tar-header.ts';

export type EntryType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

export interface Entry {
  type: EntryType;
  /** As it stands there. */
  path: Bytes;
  /** Of a symlink what it says, of a hard link the other name. */
  link: Bytes;
  /** The twelve bits of permissions. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: Time;
  major: number;
  minor: number;
  xattrs: readonly (readonly [name: Bytes, value: Buffer])[];
}

export interface Handler {
  entry(entry: Entry): void;
  /** A file's bytes, in order; the buffer is the caller's again afterwards. */
  data(bytes: Buffer): void;
  /** Of each entry, after its last byte. */
  end(): void;
}

/** tar(5). '\0' is the old form of a file, '7' one that wanted to lie in one piece. */
const types: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

/** What stands before an entry and says more about it. */
const metaTypes = { x: 'extended header', g: 'global header', L: 'long name', K: 'long link' } as const;
type MetaType = keyof typeof metaTypes;

/** Names have at most 4 KiB and xattrs 64, so one of a MiB has no honest use. */
const META = 1 << 20;

/** The largest id; one more means "leave it as it is" (chown(2)). */
const MAX_ID = 0xfffffffe;

/** What an extended header may say of its entry. Other keys are of no use to a file system. */
const recordKeys: Readonly<Record<string, (entry: Draft, key: string, value: Buffer) => void>> = {
  path: (entry, _, value) => {
    entry.path = value.toString('latin1');
  },
  linkpath: (entry, _, value) => {
    entry.link = value.toString('latin1');
  },
  size: (entry, key, value) => {
    entry.size = recordNumber(key, value);
  },
  uid: (entry, key, value) => {
    entry.uid = recordNumber(key, value);
  },
  gid: (entry, key, value) => {
    entry.gid = recordNumber(key, value);
  },
  mtime: (entry, key, value) => {
    entry.mtime = recordTime(key, value);
  },
};

type Draft = Omit<Entry, 'type' | 'xattrs'>;
const XATTR = 'SCHILY.xattr.';

export class TarReader {
  readonly #handler: Handler;
  #state: 'header' | 'body' | 'meta' | 'padding' | 'over' = 'header';
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
    const took = chunk.copy(this.#block, this.#filled, at, at + BLOCK - this.#filled);
    this.#filled += took;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#takeHeader();
    }
    return took;
  }

  _body(chunk: Buffer, at: number): number {
    const took = Math.min(this.#remain, chunk.length - at);
    this.#handler.data(chunk.subarray(at, at + took));
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
      if (Object.hasOwn(recordKeys, key) || key.startsWith(XATTR) || key.startsWith('GNU.sparse.'))
        throw this.#fault(`a global header that says ${key} of all entries`);
  }

  #beginEntry(header: Header): void {
    const entry = this.#named(() => this.#whole(header));
    this.#where = shown(entry.path);
    this.#pending.clear();
    this.#remain = entry.size;
    this.#padding = (BLOCK - (entry.size % BLOCK)) % BLOCK;
    this.#handler.entry(entry);
    this.#state = 'body';
    if (entry.size === 0) this.#endBody();
  }

  /** The header, and what the headers before it say. */
  #whole(header: Header): Entry {
    const { path, link, mode, uid, gid, size, major, minor } = header;
    const draft: Draft = {
      path,
      link,
      mode,
      uid,
      gid,
      size,
      major,
      minor,
      mtime: { sec: header.mtime, nsec: 0 },
    };
    const extended = this.#pending.get('x');
    const records: Records = extended ? parseRecords(extended) : new Map();
    for (const [type, key, field] of [
      ['L', 'path', 'path'],
      ['K', 'linkpath', 'link'],
    ] as const) {
      const long = this.#pending.get(type);
      if (long && records.has(key)) throw new Error(`two headers that each say its ${key}`);
      if (long) draft[field] = upToNul(long);
    }
    const xattrs: [Bytes, Buffer][] = [];
    for (const [key, value] of records) {
      if (key.startsWith('GNU.sparse.')) throw new Error('a sparse file, which tslab does not unpack');
      // POSIX: an empty value takes back what an earlier header said.
      if (key.startsWith(XATTR)) xattrs.push([key.slice(XATTR.length), value]);
      else if (value.length > 0 && Object.hasOwn(recordKeys, key)) recordKeys[key]?.(draft, key, value);
    }
    const entry = { ...draft, mode: mode & 0o7777, type: typeOf(header.type, draft.path), xattrs };
    judge(entry);
    return entry;
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

function typeOf(type: string, path: Bytes): EntryType {
  const found = Object.hasOwn(types, type) ? types[type] : undefined;
  if (type === 'S') throw new Error('a sparse file, which tslab does not unpack');
  if (found === undefined) throw new Error(`${shown(path)}: an entry of type ${JSON.stringify(type)}`);
  // Before there were directories in tar, a slash at the end said it.
  return found === 'file' && path.endsWith('/') ? 'directory' : found;
}

/** What no file system could hold, and what readers take differently. */
function judge(entry: Entry): void {
  const { path, link, type, size, uid, gid } = entry;
  const no = (what: string): never => {
    throw new Error(`${shown(path)}: ${what}`);
  };
  if (path.includes('\0') || link.includes('\0')) no('a name with a NUL in it');
  if (size < 0 || !Number.isSafeInteger(size)) no(`${size} bytes`);
  if (size > 0 && type !== 'file') no(`a ${type} with ${size} bytes of its own`);
  for (const id of [uid, gid]) if (id < 0 || id > MAX_ID) no(`the owner ${id}`);
}

function upToNul(bytes: Buffer): Bytes {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}
