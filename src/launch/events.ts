/** The launcher's events, as native/README.md defines them: 24 bytes each. */

const names = [
  '',
  'at',
  'done',
  'failed',
  'born',
  'running',
  'exited',
  'undone',
  'clean',
  'refused',
  'said',
  'left',
  'taken',
] as const;
export type EventType = Exclude<(typeof names)[number], ''>;

export interface LaunchEvent {
  type: EventType;
  /** Index into the plan's steps (or the ledger's records, for `undone`). */
  step: number;
  /** 0 for success. */
  errno: number;
  /** What it means depends on the type. */
  value: number;
  /** Duration of a done step. */
  ns: number;
  /** A piece of what a program of the host said, or how it ended: comes before the `failed` of its step. */
  said?: string;
}

export const EVENT_SIZE = 24;

export const commands = { go: 1, run: 2, signal: 3, winsize: 4, abort: 5 } as const;

export function encodeCommand(command: keyof typeof commands, value = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(commands[command], 0);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}

/** Cuts a stream of bytes into events; keeps what is left of an unfinished one. */
export class EventReader {
  #rest: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<LaunchEvent> {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let offset = 0;
    for (; offset + EVENT_SIZE <= bytes.length; offset += EVENT_SIZE) {
      const type = names[bytes.readUInt32LE(offset)];
      if (type) yield decode(type, bytes, offset);
    }
    this.#rest = bytes.subarray(offset);
  }
}

function decode(type: EventType, bytes: Buffer, offset: number): LaunchEvent {
  return {
    type,
    step: bytes.readUInt32LE(offset + 4),
    errno: bytes.readInt32LE(offset + 8),
    value: bytes.readUInt32LE(offset + 12),
    ns: Number(bytes.readBigUInt64LE(offset + 16)),
    ...(type === 'said' ? { said: bytes.toString('latin1', offset + 4, offset + EVENT_SIZE) } : {}),
  };
}
