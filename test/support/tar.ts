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
  pax?: Record<string, string | Buffer>;
  /** Instead of the right one. */
  checksum?: number;
}

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
  octal(said.checksum ?? header.reduce((sum, byte) => sum + byte, 0), 148, 6);
  header[154] = 0;
  return Buffer.concat([...(pax ? [paxHeader(pax)] : []), header, bytes, zeros(bytes.length)]);
}

export function paxHeader(records: Record<string, string | Buffer>, type = 'x'): Buffer {
  const body = Object.entries(records).map(([key, value]) => record(key, Buffer.from(value as string)));
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
