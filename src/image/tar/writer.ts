/** The blocks in front of an entry of a tar archive. What ustar has no room for stands in PAX records (pax(1)). */
import { Header } from 'tar';
import type { Bytes } from '../../sys/at.ts';
import type { Entry, EntryType } from './entry.ts';
import { BLOCK } from './header.ts';
import { formatRecord } from './pax.ts';

const typeNames = {
  file: 'File',
  link: 'Link',
  symlink: 'SymbolicLink',
  char: 'CharacterDevice',
  block: 'BlockDevice',
  directory: 'Directory',
  fifo: 'FIFO',
} as const satisfies Record<EntryType, string>;

/** The largest number of a field of that many octal digits. */
const octal = (digits: number): number => 8 ** digits - 1;

/** The same entry always gives the same bytes: no names of users, no times but the file's. */
export function headerOf(entry: Entry): Buffer {
  const records: Buffer[] = [];
  const say = (key: string, value: string | Buffer) => records.push(formatRecord(key, value));
  const inField = (key: string, value: number, most: number): number => {
    if (value >= 0 && value <= most) return value;
    say(key, String(value));
    return 0;
  };
  const nameInField = (key: string, name: Bytes, otherwise: string): string => {
    if (fits(name)) return name;
    say(key, name);
    return otherwise;
  };
  const plain = {
    path: nameInField('path', entry.path, entry.type === 'directory' ? `${STUB}/` : STUB),
    linkpath: nameInField('linkpath', entry.link, STUB),
    uid: inField('uid', entry.uid, octal(7)),
    gid: inField('gid', entry.gid, octal(7)),
    size: inField('size', entry.size, octal(11)),
    mtime: new Date(1000 * timeInField(entry, say)),
  };
  for (const [name, value] of [...entry.xattrs].sort(([a], [b]) => (a < b ? -1 : 1)))
    say(`SCHILY.xattr.${name}`, value);
  const header = encode({
    ...plain,
    mode: entry.mode,
    type: typeNames[entry.type],
    devmaj: entry.major,
    devmin: entry.minor,
  });
  return records.length === 0 ? header : Buffer.concat([...extended(Buffer.concat(records)), header]);
}

/** The end: two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK);

/** Zeros up to the next block. */
export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

function extended(records: Buffer): Buffer[] {
  const header = encode({
    path: 'PaxHeaders/entry',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    mtime: new Date(0),
    type: 'ExtendedHeader',
  });
  return [header, records, padding(records.length)];
}

function encode(fields: ConstructorParameters<typeof Header>[0]): Buffer {
  const block = Buffer.alloc(BLOCK);
  new Header(fields).encode(block);
  return block;
}

/** Longer names, and those that are not ASCII, are read alike by all only from a record. */
const fits = (name: Bytes): boolean => name.length <= 100 && /^[\x20-\x7e]*$/.test(name);

/** For readers that know no PAX. A slash behind it tells them a directory. */
const STUB = 'PaxHeaders/name';

/** Whole seconds since 1970 are in the field, all else in a record. */
function timeInField({ mtime: { sec, nsec } }: Entry, say: (key: string, value: string) => void): number {
  if (nsec === 0 && sec >= 0 && sec <= octal(11)) return sec;
  // Below zero, a record's digits behind the point count downwards.
  const [sign, whole, part] =
    sec < 0 && nsec > 0 ? ['-', -sec - 1, 1e9 - nsec] : [sec < 0 ? '-' : '', Math.abs(sec), nsec];
  const fraction = part === 0 ? '' : `.${String(part).padStart(9, '0').replace(/0+$/, '')}`;
  say('mtime', `${sign}${whole}${fraction}`);
  return sec >= 0 && sec <= octal(11) ? sec : 0;
}
