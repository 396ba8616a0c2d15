/**
 * Files with holes, in the four ways in which GNU tar has written them (its manual, "Sparse Formats"): a map says where in the file the
 * archive's bytes go, and what it leaves out is a hole. It stands in the header and in blocks behind it (type S), in PAX records (0.0 and
 * 0.1), or in front of the bytes themselves (1.0).
 */
import { BLOCK, numberAt } from './header.ts';
import { type Records, recordNumber } from './pax.ts';

export type Region = readonly [offset: number, length: number];

export interface Sparse {
  readonly map: SparseMap;
  /** Takes the next block behind the header; undefined if the map is whole. @returns whether it is now. */
  readonly more?: ((block: Buffer) => boolean) | undefined;
  /** Whether those blocks count as bytes of the entry. */
  readonly inside: boolean;
}

/** Each takes a few bytes here and may say little; a file system in a file of 100 GiB has some ten thousand. */
const MOST_REGIONS = 1 << 18;

/** Checked as it grows. */
export class SparseMap {
  readonly regions: Region[] = [];
  /** Of the file, holes included. */
  readonly size: number;
  #end = 0;
  #bytes = 0;

  constructor(size: number | undefined) {
    if (size === undefined || !Number.isSafeInteger(size) || size < 0)
      throw new Error(`a sparse file whose size is ${size ?? 'not said'}`);
    this.size = size;
  }

  /** @throws Error if it is not behind the others, or not in the file. */
  add(offset: number | undefined, length: number | undefined): void {
    if (offset === undefined || length === undefined || offset < 0 || length < 0)
      throw new Error('a sparse map with a part that is no part of a file');
    if (offset < this.#end) throw new Error('a sparse map whose parts overlap, or are out of order');
    if (offset + length > this.size) throw new Error('a sparse map that goes beyond the end of the file');
    // GNU tar goes on with the next block of the archive then, others with the next byte.
    if (length > 0 && this.#bytes % BLOCK > 0)
      throw new Error('a sparse map with a part that ends within a block, and is not the last');
    if (this.regions.length === MOST_REGIONS) throw tooMany();
    this.#end = offset + length;
    this.#bytes += length;
    this.regions.push([offset, length]);
  }

  /** @param stored bytes that the archive has for it. */
  finish(stored: number): void {
    if (this.#bytes !== stored)
      throw new Error(`a sparse map of ${this.#bytes} bytes, where the archive has ${stored}`);
  }
}

const tooMany = () => new Error(`a sparse map of more than ${MOST_REGIONS} parts`);

/** Where the old form has its list: pairs of twelve bytes each, and a byte that says whether there is a further block. */
const inHeader = { at: 386, count: 4, more: 482, size: 483 };
const inBlock = { at: 0, count: 21, more: 504 };

/** @param header the block of an entry of type S. */
export function gnuSparse(header: Buffer): Sparse {
  const map = new SparseMap(numberAt(header, inHeader.size, 12));
  const whole = takePairs(map, header, inHeader);
  return { map, inside: false, more: whole ? undefined : (block) => takePairs(map, block, inBlock) };
}

/** A pair whose fields are empty is behind the last. @returns whether that was there, or no further block is to come. */
function takePairs(map: SparseMap, block: Buffer, { at, count, more }: typeof inBlock): boolean {
  let over = false;
  for (let i = 0; i < count; i++) {
    const from = at + 24 * i;
    const isEmpty = block[from] === 0 && block[from + 12] === 0;
    if (over && !isEmpty) throw new Error('a sparse map that goes on behind its end');
    over ||= isEmpty;
    if (!over) map.add(numberAt(block, from, 12), numberAt(block, from + 12, 12));
  }
  const goesOn = block[more] !== 0;
  if (over && goesOn) throw new Error('a sparse map that goes on behind its end');
  return !goesOn;
}

export const SPARSE = 'GNU.sparse.';
const keys = ['major', 'minor', 'name', 'size', 'realsize', 'numblocks', 'map'].map((key) => SPARSE + key);

/** @param pairs the records that come many times, which 0.0 has for a map. */
export function paxSparse(
  records: Records,
  pairs: readonly (readonly [string, Buffer])[],
): Sparse | undefined {
  const said = [...records.keys()].filter((key) => key.startsWith(SPARSE));
  if (said.length + pairs.length === 0) return undefined;
  const unknown = said.find((key) => !keys.includes(key));
  if (unknown !== undefined)
    throw new Error(`a record ${JSON.stringify(unknown)}, which no sparse format has`);
  const number = (key: string) => {
    const value = records.get(SPARSE + key);
    return value && recordNumber(SPARSE + key, value);
  };
  const version = `${number('major') ?? 0}.${number('minor') ?? 0}`;
  if (records.has(`${SPARSE}size`) && records.has(`${SPARSE}realsize`))
    throw new Error('a sparse file whose size is said twice');
  const map = new SparseMap(number('size') ?? number('realsize'));
  const listed = [...numbersOf(records.get(`${SPARSE}map`)), ...numbersOfPairs(pairs)];
  if (version === '1.0' && listed.length === 0) return { map, inside: true, more: textMap(map) };
  if (version !== '0.0' && version !== '0.1') throw new Error(`a sparse file of format ${version}`);
  for (let i = 0; i < listed.length; i += 2) map.add(listed[i], listed[i + 1]);
  if ((number('numblocks') ?? map.regions.length) !== map.regions.length)
    throw new Error(`a sparse map of ${map.regions.length} parts that says it has ${number('numblocks')}`);
  return { map, inside: false };
}

const numbersOf = (list: Buffer | undefined): number[] =>
  list === undefined || list.length === 0
    ? []
    : list
        .toString('latin1')
        .split(',')
        .map((text) => recordNumber(`${SPARSE}map`, Buffer.from(text, 'latin1')));

/** They stand in turn, the offset first. */
const numbersOfPairs = (pairs: readonly (readonly [string, Buffer])[]): number[] =>
  pairs.map(([key, value], i) => {
    if (key !== SPARSE + (i % 2 === 0 ? 'offset' : 'numbytes'))
      throw new Error('a sparse map whose offsets and lengths are not pairs');
    return recordNumber(key, value);
  });

/** Decimal numbers, a line each: how many parts, then each one's offset and length. The last block is filled up. */
function textMap(map: SparseMap): (block: Buffer) => boolean {
  let value: number | undefined;
  let left: number | undefined;
  let offset: number | undefined;
  const takeLine = (line: number): void => {
    if (left === undefined) left = line;
    else if (offset === undefined) offset = line;
    else {
      map.add(offset, line);
      offset = undefined;
      left--;
    }
    if (left > MOST_REGIONS) throw tooMany();
  };
  return (block) => {
    for (const byte of block) {
      if (byte === 0x0a && value !== undefined) {
        takeLine(value);
        value = undefined;
        if (left === 0) return true;
        continue;
      }
      value = 10 * (value ?? 0) + byte - 0x30;
      if (byte < 0x30 || byte > 0x39 || !Number.isSafeInteger(value))
        throw new Error('a sparse map that is no list of numbers');
    }
    return false;
  };
}
