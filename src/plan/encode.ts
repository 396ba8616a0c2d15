/** A plan as bytes for the launcher. The format is written down in native/README.md. */
import { tolerable } from './errno.ts';
import { PlanError } from './error.ts';
import { capabilities, flagSets, nameSets } from './flags.ts';
import { type FieldType, type KindSpec, kinds } from './kinds.ts';
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
  const slots = new Slots();
  const steps = plan.steps.map((step) => encodeStep(step, slots));
  const head = Buffer.alloc(16);
  head.write('TSLABPL1', 'latin1');
  head.writeUInt32LE(16 + steps.reduce((sum, step) => sum + step.length, 0), 8);
  head.writeUInt32LE(steps.length, 12);
  return Buffer.concat([head, ...steps]);
}

function encodeStep(step: Step, slots: Slots): Buffer {
  const undo = step.undo && record(step.undo, 'host', step.undo.tolerate ?? [], Buffer.alloc(0), slots);
  return record(step, step.at, step.tolerate ?? [], undo ?? Buffer.alloc(0), slots);
}

function record(call: Call, at: Step['at'], tolerate: readonly string[], undo: Buffer, slots: Slots): Buffer {
  const { code, fields } = kinds[call.kind] as KindSpec;
  const values = call as unknown as Record<string, unknown>;
  const args = Buffer.concat(
    Object.entries(fields).map(([name, type]) => {
      try {
        return encodeField(type, values[name], slots);
      } catch (cause) {
        throw new PlanError(`plan: ${call.kind}.${name}: ${(cause as Error).message}`);
      }
    }),
  );
  const head = Buffer.alloc(16);
  head.writeUInt32LE(head.length + args.length + undo.length, 0);
  head.writeUInt16LE(code, 4);
  head.writeUInt8(at === 'child' ? 1 : 0, 6);
  head.writeUInt8(undo.length > 0 ? 1 : 0, 7);
  for (const [i, name] of tolerate.entries()) head.writeUInt16LE(lookUp(tolerable, name, 'errno'), 8 + 2 * i);
  head.writeUInt32LE(args.length, 12);
  return Buffer.concat([head, args, undo]);
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

function encodeField(type: FieldType, value: unknown, slots: Slots): Buffer {
  const bare = type.replace('?', '');
  if (bare.startsWith('flags:')) return u64(orFlags(flagSets[bare.slice(6) as keyof typeof flagSets], value));
  if (bare.startsWith('name:'))
    return u32(lookUp(nameSets[bare.slice(5) as keyof typeof nameSets], String(value), 'name'));
  const encoder = encoders[bare];
  if (!encoder) throw new Error(`field type ${type} has no encoding`);
  return encoder(value, slots);
}

const encoders: Record<string, (value: unknown, slots: Slots) => Buffer> = {
  str: (value) => (value === undefined ? u32(NONE) : str(value as string)),
  strs: (value) => {
    const list = value as readonly string[];
    return Buffer.concat([u32(list.length), ...list.map(str)]);
  },
  text: (value) => counted(Buffer.from(value as string)),
  bytes: (value) => counted(Buffer.from(value as string, 'base64')),
  u32s: (value) => counted(Buffer.concat((value as readonly number[]).map(u32))),
  u32: (value) => u32((value as number | undefined) ?? 0),
  i32: (value) => u32(value as number),
  bool: (value) => u32(value ? 1 : 0),
  u64: (value) => u64(BigInt((value as number | undefined) ?? 0)),
  limit: (value) => u64(value === 'unlimited' ? UNLIMITED : BigInt(value as number)),
  caps: (value) =>
    u64((value as readonly string[]).reduce((mask, name) => mask | (1n << BigInt(capabilityBit(name))), 0n)),
  fd: (value, slots) => u32(value === undefined ? NONE : slots.find(value as string)),
  as: (value, slots) => u32(value === undefined ? NONE : slots.assign(value as string)),
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

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function str(value: string): Buffer {
  if (value.includes('\0')) throw new Error('a NUL inside a string would cut it short in C');
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes, Buffer.alloc(1)]);
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([u32(bytes.length), bytes]);
}
