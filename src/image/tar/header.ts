/**
 * One block of a tar archive's header: ustar, GNU's and the older form (tar(5)). Not the `tar` package's reader: that takes names and PAX
 * values for text, which spoils capabilities and names that are not UTF-8, times to the millisecond, and it passes over what it
 * finds broken.
 */
import type { Bytes } from '../../sys/at.ts';

export const BLOCK = 512;

export interface Header {
  /** The byte as it stands there. */
  type: string;
  path: Bytes;
  link: Bytes;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  major: number;
  minor: number;
  format: 'ustar' | 'gnu' | 'old';
}

/** Where each field stands: from, length. */
const fields = {
  path: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const;

type Field = keyof typeof fields;

/** @throws Error that names the field. */
export function readHeader(block: Buffer): Header {
  if (!checksumIsRight(block)) throw new Error('a header whose checksum is wrong');
  const magic = raw(block, 'magic');
  const format = magic === 'ustar\x0000' ? 'ustar' : magic === 'ustar  \0' ? 'gnu' : 'old';
  const prefix = format === 'ustar' ? text(block, 'prefix') : '';
  const name = text(block, 'path');
  const device = format !== 'old';
  return {
    type: raw(block, 'type'),
    path: prefix === '' ? name : `${prefix}/${name}`,
    link: text(block, 'link'),
    mode: number(block, 'mode'),
    uid: number(block, 'uid'),
    gid: number(block, 'gid'),
    size: number(block, 'size'),
    mtime: number(block, 'mtime'),
    major: device ? number(block, 'major') : 0,
    minor: device ? number(block, 'minor') : 0,
    format,
  };
}

const raw = (block: Buffer, field: Field): string => {
  const [from, length] = fields[field];
  return block.toString('latin1', from, from + length);
};

/** Up to the first NUL, or the whole field. */
function text(block: Buffer, field: Field): Bytes {
  const whole = raw(block, field);
  const end = whole.indexOf('\0');
  return end === -1 ? whole : whole.slice(0, end);
}

function number(block: Buffer, field: Field): number {
  const [from, length] = fields[field];
  const value = numberAt(block, from, length);
  if (value === undefined) throw new Error(`a header whose ${field} is no number`);
  return value;
}

/** Octal digits between blanks and NULs; or GNU's binary form, whose first bit is set. */
export function numberAt(block: Buffer, from: number, length: number): number | undefined {
  if ((block[from] ?? 0) & 0x80) return binary(block.subarray(from, from + length));
  const [, digits] = /^[ \0]*([0-7]*)[ \0]*$/.exec(block.toString('latin1', from, from + length)) ?? [];
  if (digits === undefined) return undefined;
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Two's complement without the first bit, big end first. */
function binary(bytes: Buffer): number | undefined {
  let value = bytes[0] === 0xff ? -1n : BigInt((bytes[0] ?? 0) & 0x7f);
  for (const byte of bytes.subarray(1)) value = (value << 8n) + BigInt(byte);
  const result = Number(value);
  return Number.isSafeInteger(result) ? result : undefined;
}

/** The sum of all bytes with the checksum's own field as blanks; some old writers took the bytes as signed. */
function checksumIsRight(block: Buffer): boolean {
  const [from, length] = fields.checksum;
  let plain = 0x20 * length;
  let signed = plain;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= from && i < from + length) continue;
    const byte = block[i] ?? 0;
    plain += byte;
    signed += byte < 0x80 ? byte : byte - 256;
  }
  const said = numberAt(block, from, length);
  return said === plain || said === signed;
}

export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0);
