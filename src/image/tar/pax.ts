/** PAX records (pax(1), "pax Extended Header"): `LENGTH KEY=VALUE\n`, where the length counts the whole record. Values are bytes. */
import type { Bytes, Time } from '../../sys/at.ts';

export type Records = Map<string, Buffer>;

/** Keys that come again and again in one header: the sparse map of GNU's format 0.0, and nothing else. */
const MANY = ['GNU.sparse.offset', 'GNU.sparse.numbytes'];

/**
 * @param many is given those that may come many times, in their order.
 * @throws Error if the records do not fill the whole.
 */
export function parseRecords(bytes: Buffer, many?: (key: string, value: Buffer) => void): Records {
  const records: Records = new Map();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = blank === -1 ? '' : bytes.toString('latin1', at, blank);
    const end = at + Number(length);
    const equals = bytes.indexOf(0x3d, blank);
    if (!/^[1-9]\d{0,8}$/.test(length) || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw new Error('an extended header whose records have wrong lengths');
    if (equals === -1 || equals <= blank + 1 || equals >= end)
      throw new Error('an extended header with a record that has no key');
    const key = bytes.toString('latin1', blank + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    at = end;
    if (many && MANY.includes(key)) {
      many(key, value);
      continue;
    }
    if (records.has(key)) throw new Error(`an extended header that has ${key} twice`);
    records.set(key, value);
  }
  return records;
}

/** @throws Error unless it is a plain decimal number. */
export function recordNumber(key: string, value: Buffer): number {
  const text = value.toString('latin1');
  const number = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number))
    throw new Error(`an extended header whose ${key} is ${JSON.stringify(text.slice(0, 40))}`);
  return number;
}

/** Decimal, with any number of digits behind the point; what is finer than a nanosecond goes. */
export function recordTime(key: string, value: Buffer): Time {
  const [, sign = '', whole = '', fraction = ''] =
    /^(-?)(\d{1,15})(?:\.(\d{1,30}))?$/.exec(value.toString('latin1')) ?? [];
  if (whole === '') throw new Error(`an extended header whose ${key} is no time`);
  const nsec = Number(fraction.slice(0, 9).padEnd(9, '0'));
  const sec = Number(whole);
  // timespec(3type): nanoseconds only ever add.
  if (sign === '') return { sec, nsec };
  return nsec === 0 ? { sec: 0 - sec, nsec } : { sec: -sec - 1, nsec: 1e9 - nsec };
}

/** A length that counts its own digits. */
export function formatRecord(key: string, value: Buffer | Bytes): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`, 'latin1'),
    typeof value === 'string' ? Buffer.from(value, 'latin1') : value,
    Buffer.from('\n'),
  ]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
