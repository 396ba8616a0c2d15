/** Archives made by hand, so that they may say what no honest program writes. */
const BLOCK = 512;

export interface Said {
  path: string;
  /** tar(5)'s letter. */
  type?: string;
  link?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Else the body's. */
  size?: number;
  major?: number;
  minor?: number;
  body?: string | Buffer;
  /** Records of a PAX header before it. */
  pax?: Records;
  /** What a header of GNU's form has behind its device numbers; at the place that tar(5) has it. */
  gnu?: Buffer;
  /** Instead of the right one. */
  checksum?: number;
}

/** As pairs where one comes many times. */
export type Records = Record<string, string | Buffer> | [string, string][];

/** Bytes of names are characters (latin1). */
export function entry({ path, body = '', pax, ...said }: Said): Buffer {
  const bytes = Buffer.from(body as string);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, '0'), at);
  header.write(path, 0, 100, 'latin1');
  octal(said.mode ?? 0o644, 100, 7);
  octal(said.uid ?? 0, 108, 7);
  octal(said.gid ?? 0, 116, 7);
  octal(said.size ?? bytes.length, 124, 11);
  octal(1_600_000_000, 136, 11);
  header.write('        ', 148);
  header.write(said.type ?? '0', 156);
  header.write(said.link ?? '', 157, 100, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  octal(said.major ?? 0, 329, 7);
  octal(said.minor ?? 0, 337, 7);
  if (said.gnu) header.write('ustar  \0', 257, 'latin1');
  said.gnu?.copy(header, 345);
  octal(said.checksum ?? header.reduce((sum, byte) => sum + byte, 0), 148, 6);
  header[154] = 0;
  return Buffer.concat([...(pax ? [paxHeader(pax)] : []), header, bytes, zeros(bytes.length)]);
}

export function paxHeader(records: Records, type = 'x'): Buffer {
  const pairs = Array.isArray(records) ? records : Object.entries(records);
  const body = pairs.map(([key, value]) => record(key, Buffer.from(value as string)));
  return entry({ path: 'PaxHeader', type, body: Buffer.concat(body) });
}

function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  const digits = String(rest.length + 1).length;
  const length = rest.length + digits;
  const whole = String(length).length === digits ? length : length + 1;
  return Buffer.concat([Buffer.from(String(whole)), rest]);
}

const zeros = (size: number) => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** An offset and a length in a sparse file. */
export type Part = readonly [number, number];

/** GNU's old form of a sparse file: four parts in the header, 21 in each block behind it. */
export function gnuSparse(
  path: string,
  size: number,
  map: readonly Part[],
  body: string | Buffer = '',
): Buffer {
  const first = Buffer.alloc(BLOCK - 345);
  writeParts(first, 386 - 345, map.slice(0, 4));
  writeNumber(first, 483 - 345, size);
  const blocks: Buffer[] = [];
  for (let i = 4; i < map.length; i += 21) {
    blocks.push(Buffer.alloc(BLOCK));
    writeParts(blocks.at(-1) ?? first, 0, map.slice(i, i + 21));
    if (i + 21 < map.length) blocks.at(-1)?.writeUInt8(1, 504);
  }
  first.writeUInt8(blocks.length > 0 ? 1 : 0, 482 - 345);
  const bytes = Buffer.from(body as string);
  const header = entry({ path, type: 'S', size: bytes.length, gnu: first });
  return Buffer.concat([header, ...blocks, bytes, zeros(bytes.length)]);
}

function writeParts(into: Buffer, at: number, parts: readonly Part[]): void {
  for (const [i, [offset, length]] of parts.entries()) {
    writeNumber(into, at + 24 * i, offset);
    writeNumber(into, at + 24 * i + 12, length);
  }
}

/** Octal; what has no place so is in GNU's binary form. */
function writeNumber(into: Buffer, at: number, value: number): void {
  if (value >= 0 && value < 8 ** 11) into.write(`${value.toString(8).padStart(11, '0')}\0`, at);
  else {
    into.writeInt32BE(value < 0 ? -1 : -(2 ** 31), at);
    into.writeBigInt64BE(BigInt(value), at + 4);
  }
}

/** Records of a sparse file of PAX format 1.0, whose map is in front of its bytes. */
export const sparseRecords = (path: string, size: number): Record<string, string> => ({
  'GNU.sparse.major': '1',
  'GNU.sparse.minor': '0',
  'GNU.sparse.name': path,
  'GNU.sparse.realsize': String(size),
});

export function sparseBody(map: readonly Part[], body = ''): Buffer {
  const text = Buffer.from(`${[map.length, ...map.flat()].join('\n')}\n`);
  return Buffer.concat([text, zeros(text.length), Buffer.from(body)]);
}

export const END = Buffer.alloc(2 * BLOCK);

export const archive = (...entries: (Said | Buffer)[]): Buffer =>
  Buffer.concat([...entries.map((one) => (Buffer.isBuffer(one) ? one : entry(one))), END]);

export const dir = (path: string, more: Partial<Said> = {}): Said => ({
  path,
  type: '5',
  mode: 0o755,
  ...more,
});
export const link = (path: string, to: string): Said => ({ path, type: '1', link: to });
export const symlink = (path: string, to: string): Said => ({ path, type: '2', link: to });
