/** A plan as bytes for the launcher. The format is written down in native/README.md. */
import { tolerable } from './errno.ts';
import { PlanError } from './error.ts';
import { capabilities, flagSets, nameSets } from './flags.ts';
import { type FieldType, type Kind, type KindSpec, kinds } from './kinds.ts';
import type { Call, Plan, Step } from './step.ts';

const NONE = 0xffff_ffff;
const SLOTS = 64;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;

/**
 * Encodes a valid plan.
 *
 * @throws PlanError for what has no encoding: an unknown name, a descriptor used before it was opened,
 *   more than 64 descriptors.
 */
export function encode(plan: Plan): Buffer {
  const out = new Writer(new Slots());
  out.bytes.write('TSLABPL1', 'latin1');
  out.skip(8);
  const length = out.skip(4);
  out.u32(plan.steps.length);
  for (const step of plan.steps) record(out, step, step.at, step.tolerate, step.undo);
  out.bytes.writeUInt32LE(out.used, length);
  return out.bytes.subarray(0, out.used);
}

function record(
  out: Writer,
  call: Call,
  at: Step['at'],
  tolerate: readonly string[] = [],
  undo?: Step['undo'],
): void {
  const length = out.skip(4);
  out.u16(kinds[call.kind].code);
  out.u8(at === 'child' ? 1 : 0);
  out.u8(undo ? 1 : 0);
  for (const i of [0, 1]) out.u16(tolerate[i] === undefined ? 0 : lookUp(tolerable, tolerate[i], 'errno'));
  const args = out.skip(4);
  const values = call as unknown as Record<string, unknown>;
  for (const [name, encodeField] of fieldsOf(call.kind))
    try {
      encodeField(out, values[name]);
    } catch (cause) {
      throw new PlanError(`plan: ${call.kind}.${name}: ${(cause as Error).message}`);
    }
  out.bytes.writeUInt32LE(out.used - args - 4, args);
  if (undo) record(out, undo, 'host', undo.tolerate);
  out.bytes.writeUInt32LE(out.used - length, length);
}

/** Bytes that grow. A buffer for each field, joined in the end, would be most of the work. */
class Writer {
  bytes: Buffer = Buffer.alloc(16384);
  used = 0;
  readonly slots: Slots;

  constructor(slots: Slots) {
    this.slots = slots;
  }

  /** @returns where these bytes begin. */
  skip(size: number): number {
    const from = this.used;
    this.used += size;
    if (this.used > this.bytes.length)
      this.bytes = Buffer.concat([this.bytes], Math.max(this.used, 2 * this.bytes.length));
    return from;
  }

  u8(value: number): void {
    const at = this.skip(1);
    this.bytes.writeUInt8(value, at);
  }

  u16(value: number): void {
    const at = this.skip(2);
    this.bytes.writeUInt16LE(value, at);
  }

  u32(value: number): void {
    const at = this.skip(4);
    this.bytes.writeUInt32LE(value >>> 0, at);
  }

  u64(value: bigint): void {
    const at = this.skip(8);
    this.bytes.writeBigUInt64LE(value, at);
  }

  /** Its length and it. */
  counted(text: string, encoding: 'utf8' | 'base64'): void {
    const at = this.skip(4);
    // Base64 may have spaces in it, so this is the most that it can be.
    this.skip(Buffer.byteLength(text, encoding));
    const length = this.bytes.write(text, at + 4, encoding);
    this.bytes.writeUInt32LE(length, at);
    this.used = at + 4 + length;
  }
}

/** Names of descriptors to slot numbers. `child` and `proc` are filled by clone. */
class Slots {
  readonly #names = ['child', 'proc'];

  assign(name: string): number {
    const known = this.#names.indexOf(name);
    if (known >= 0) return known;
    if (this.#names.length === SLOTS) throw new Error(`more than ${SLOTS} descriptors are open at once`);
    return this.#names.push(name) - 1;
  }

  find(name: string): number {
    const slot = this.#names.indexOf(name);
    if (slot < 0) throw new Error(`descriptor "${name}" is used before a step opens it`);
    return slot;
  }
}

type Encoder = (out: Writer, value: unknown) => void;

const known = new Map<Kind, readonly (readonly [string, Encoder])[]>();

/** By name, in the order of the kind's signature. */
function fieldsOf(kind: Kind): readonly (readonly [string, Encoder])[] {
  const fields =
    known.get(kind) ??
    Object.entries((kinds[kind] as KindSpec).fields).map(([name, type]) => [name, encoderOf(type)] as const);
  known.set(kind, fields);
  return fields;
}

function encoderOf(type: FieldType): Encoder {
  const bare = type.replace('?', '');
  const [what, set = ''] = bare.split(':');
  if (what === 'flags')
    return (out, value) => out.u64(orFlags(flagSets[set as keyof typeof flagSets], value));
  if (what === 'name')
    return (out, value) => out.u32(lookUp(nameSets[set as keyof typeof nameSets], String(value), 'name'));
  const encoder = encoders[bare];
  if (!encoder) throw new Error(`field type ${type} has no encoding`);
  return encoder;
}

const encoders: Record<string, Encoder> = {
  str: (out, value) => (value === undefined ? out.u32(NONE) : str(out, value as string)),
  strs: (out, value) => {
    const list = value as readonly string[];
    out.u32(list.length);
    for (const one of list) str(out, one);
  },
  text: (out, value) => out.counted(value as string, 'utf8'),
  bytes: (out, value) => out.counted(value as string, 'base64'),
  u32s: (out, value) => {
    const list = value as readonly number[];
    out.u32(4 * list.length);
    for (const one of list) out.u32(one);
  },
  u32: (out, value) => out.u32((value as number | undefined) ?? 0),
  i32: (out, value) => out.u32(value as number),
  bool: (out, value) => out.u32(value ? 1 : 0),
  u64: (out, value) => out.u64(BigInt((value as number | undefined) ?? 0)),
  limit: (out, value) => out.u64(value === 'unlimited' ? UNLIMITED : BigInt(value as number)),
  caps: (out, value) =>
    out.u64(
      (value as readonly string[]).reduce((mask, name) => mask | (1n << BigInt(capabilityBit(name))), 0n),
    ),
  fd: (out, value) => out.u32(value === undefined ? NONE : out.slots.find(value as string)),
  as: (out, value) => out.u32(value === undefined ? NONE : out.slots.assign(value as string)),
};

function orFlags(set: Readonly<Record<string, number>>, names: unknown): bigint {
  return ((names ?? []) as readonly string[]).reduce(
    (or, name) => or | BigInt(lookUp(set, name, 'flag')),
    0n,
  );
}

function capabilityBit(name: string): number {
  const bit = (capabilities as readonly string[]).indexOf(name);
  if (bit < 0) throw new Error(`unknown capability "${name}"`);
  return bit;
}

function lookUp(table: Readonly<Record<string, number>>, name: string, what: string): number {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (value === undefined) throw new Error(`unknown ${what} "${name}"`);
  return value;
}

function str(out: Writer, value: string): void {
  if (value.includes('\0')) throw new Error('a NUL inside a string would cut it short in C');
  out.counted(value, 'utf8');
  out.u8(0);
}
