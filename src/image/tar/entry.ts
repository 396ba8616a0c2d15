/** An entry of a tar archive, made of all the headers that are about it. */
import { type Bytes, shown, type Time } from '../../sys/at.ts';
import type { Header } from './header.ts';
import { parseRecords, type Records, recordNumber, recordTime } from './pax.ts';
import { gnuSparse, paxSparse, type Region, SPARSE, type Sparse } from './sparse.ts';

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
  /** Of the file, holes included. */
  size: number;
  /** Where its bytes go, if it has holes. */
  sparse?: readonly Region[];
  mtime: Time;
  major: number;
  minor: number;
  xattrs: readonly (readonly [name: Bytes, value: Buffer])[];
}

/** An entry as its headers say it. */
export interface Headed {
  entry: Entry;
  /** Bytes that the archive has behind the headers. */
  stored: number;
  /** Of a file with holes: perhaps a part of its map is still to come. */
  sparse: Sparse | undefined;
}

/** tar(5). '\0' is the old form of a file, '7' one that wanted to lie in one piece. */
const types: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

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
/** The headers before it, by the letters of their types. */
type Pending = ReadonlyMap<'x' | 'g' | 'L' | 'K', Buffer>;
const XATTR = 'SCHILY.xattr.';

/** Whether a record of this key changes what becomes of an entry. */
export const counts = (key: string): boolean =>
  Object.hasOwn(recordKeys, key) || key.startsWith(XATTR) || key.startsWith(SPARSE);

/**
 * The header, and what the headers before it say.
 *
 * @param block the header itself.
 * @param pending those headers' bytes: an extended one, GNU's long name, GNU's long link.
 * @throws Error that says what is wrong, but not always where.
 */
export function wholeEntry(header: Header, block: Buffer, pending: Pending): Headed {
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
  const extended = pending.get('x');
  const pairs: (readonly [string, Buffer])[] = [];
  const records: Records = extended ? parseRecords(extended, (...pair) => void pairs.push(pair)) : new Map();
  for (const [type, key, field] of [
    ['L', 'path', 'path'],
    ['K', 'linkpath', 'link'],
  ] as const) {
    const long = pending.get(type);
    if (long && records.has(key)) throw new Error(`two headers that each say its ${key}`);
    if (long) draft[field] = upToNul(long);
  }
  const xattrs: [Bytes, Buffer][] = [];
  for (const [key, value] of records) {
    // POSIX: an empty value takes back what an earlier header said.
    if (key.startsWith(XATTR)) xattrs.push([key.slice(XATTR.length), value]);
    else if (value.length > 0 && Object.hasOwn(recordKeys, key)) recordKeys[key]?.(draft, key, value);
  }
  // In the path's own place is then a name for readers that know no sparse files.
  const name = records.get(`${SPARSE}name`);
  if (name) draft.path = name.toString('latin1');
  const stored = draft.size;
  const sparse = named(draft.path, () => sparseOf(header, block, records, pairs));
  const entry: Entry = { ...draft, mode: mode & 0o7777, type: typeOf(header.type, draft.path), xattrs };
  if (sparse) Object.assign(entry, { size: sparse.map.size, sparse: sparse.map.regions });
  named(draft.path, () => judge(entry, stored));
  return { entry, stored, sparse };
}

function sparseOf(
  header: Header,
  block: Buffer,
  ...records: Parameters<typeof paxSparse>
): Sparse | undefined {
  const extended = paxSparse(...records);
  if (header.type !== 'S') return extended;
  // Other programs' archives have the letter, and lay out their block in another way.
  if (extended || header.format !== 'gnu') throw new Error('a sparse file of two formats at once');
  return gnuSparse(block);
}

function typeOf(type: string, path: Bytes): EntryType {
  const found = Object.hasOwn(types, type) ? types[type] : undefined;
  if (found === undefined) throw new Error(`${shown(path)}: an entry of type ${JSON.stringify(type)}`);
  // Before there were directories in tar, a slash at the end said it.
  return found === 'file' && path.endsWith('/') ? 'directory' : found;
}

/** What no file system could hold, and what readers take differently. */
function judge({ path, link, type, size, uid, gid, sparse }: Entry, stored: number): void {
  const no = (what: string): never => {
    throw new Error(what);
  };
  if (path.includes('\0') || link.includes('\0')) no('a name with a NUL in it');
  if (stored < 0 || !Number.isSafeInteger(stored)) no(`${stored} bytes`);
  if (sparse && type !== 'file') no(`a sparse ${type}`);
  if (size > 0 && type !== 'file') no(`a ${type} with ${size} bytes of its own`);
  for (const id of [uid, gid]) if (id < 0 || id > MAX_ID) no(`the owner ${id}`);
}

function named<T>(path: Bytes, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new Error(`${shown(path)}: ${(error as Error).message}`);
  }
}

function upToNul(bytes: Buffer): Bytes {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}
