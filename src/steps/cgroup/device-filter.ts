/**
 * cgroup v2 has no file for devices: a BPF program is attached to the cgroup, and the kernel runs it at every open
 * and mknod of a device (cgroup-v2.rst, "Device controller"; linux/bpf.h, struct bpf_cgroup_dev_ctx).
 */
import type { Access, Rule } from './devices.ts';

/** linux/bpf.h: enum bpf_prog_type and bpf_attach_type. */
export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_CGROUP_DEVICE = 6;

/** linux/bpf.h, BPF_DEVCG_*. */
const accessBits: Readonly<Record<Access, number>> = { m: 1, r: 2, w: 4 };
const types = { b: 1, c: 2 } as const;

/** linux/bpf_common.h, linux/bpf.h: class | size or source | operation. */
const LDXW = 0x61; // BPF_LDX | BPF_MEM | BPF_W
const MOV = 0xb7; // BPF_ALU64 | BPF_K | BPF_MOV
const AND = 0x57; // BPF_ALU64 | BPF_K | BPF_AND
const RSH = 0x77; // BPF_ALU64 | BPF_K | BPF_RSH
const COPY = 0xbf; // BPF_ALU64 | BPF_X | BPF_MOV
const JNE = 0x55; // BPF_JMP | BPF_K | BPF_JNE
const JSET = 0x45; // BPF_JMP | BPF_K | BPF_JSET
const JA = 0x05; // BPF_JMP | BPF_JA
const EXIT = 0x95; // BPF_JMP | BPF_EXIT

const [answer, context, access, type, major, minor] = [0, 1, 2, 3, 4, 5];

interface Instruction {
  readonly code: number;
  readonly to?: number;
  readonly from?: number;
  /** Forward, in instructions behind the next one. */
  readonly offset?: number;
  readonly value?: number;
}

/**
 * The rules as a program, the last rule first. What an open asks for (reading, writing or both) is answered bit by
 * bit: an allowing rule takes off the bits that it grants, a denying one ends it when it meets one that is still there.
 */
export function deviceFilter(rules: readonly Rule[]): Buffer {
  const program: Instruction[] = [
    // struct bpf_cgroup_dev_ctx: u32 access << 16 | type, u32 major, u32 minor
    { code: LDXW, to: access, from: context, offset: 0 },
    { code: COPY, to: type, from: access },
    { code: AND, to: type, value: 0xffff },
    { code: RSH, to: access, value: 16 },
    { code: LDXW, to: major, from: context, offset: 4 },
    { code: LDXW, to: minor, from: context, offset: 8 },
  ];
  for (const rule of rules.toReversed()) {
    program.push(...block(rule));
    // What comes before a rule for everything can't decide any more; the verifier refuses what can't be reached.
    if (rule.type === undefined) return encode(program);
  }
  return encode([...program, ...say(true)]);
}

/** One rule: the tests whether it speaks of this device, each leading behind the rule, and what it says. */
function block(rule: Rule): Instruction[] {
  if (rule.type === undefined) return say(rule.allow);
  const bits = rule.access.reduce((or, letter) => or | accessBits[letter], 0);
  const verdict: Instruction[] = rule.allow
    ? [
        { code: AND, to: access, value: 7 & ~bits },
        { code: JNE, to: access, value: 0, offset: 2 },
        ...say(true),
      ]
    : [{ code: JSET, to: access, value: bits, offset: 1 }, { code: JA, offset: 2 }, ...say(false)];
  const tests = [
    { of: type, is: types[rule.type] },
    { of: major, is: rule.major },
    { of: minor, is: rule.minor },
  ].filter(({ is }) => is !== -1);
  return [
    ...tests.map(({ of, is }, i) => ({
      code: JNE,
      to: of,
      value: is,
      offset: tests.length - 1 - i + verdict.length,
    })),
    ...verdict,
  ];
}

const say = (allow: boolean): Instruction[] => [
  { code: MOV, to: answer, value: allow ? 1 : 0 },
  { code: EXIT },
];

/** struct bpf_insn: u8 code, u4 destination, u4 source, i16 offset, i32 immediate. */
function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [i, { code, to = 0, from = 0, offset = 0, value = 0 }] of program.entries()) {
    bytes.writeUInt8(code, 8 * i);
    bytes.writeUInt8(to | (from << 4), 8 * i + 1);
    bytes.writeInt16LE(offset, 8 * i + 2);
    bytes.writeInt32LE(value, 8 * i + 4);
  }
  return bytes;
}
