/**
 * The config's `linux.seccomp` as a program of classic BPF for seccomp(2). Pure: it runs anywhere, also for another
 * machine. Rules are tried in the config's order, the first that matches decides; a call that no rule names gets the
 * default action. Names that these tables don't know are passed over: a profile is written for many kernels.
 */
import type { Seccomp } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import { type Abi, AUDIT_X86_64, abiOf, type Machine, nativeWord, X32_BIT } from './abi.ts';
import { data, MAX_INSTRUCTIONS, type Place, Program } from './bpf.ts';
import { multiplexed } from './multiplexed.ts';
import { type Condition, KILL_PROCESS, type Rule, readRules } from './rules.ts';

/** @throws PlanError naming the field that is wrong. */
export function compile(seccomp: Seccomp, machine: Machine): Buffer {
  const { rules, otherwise } = readRules(seccomp);
  const program = new Program();
  // A call by another machine's numbers would be judged by the wrong names: nothing of ours makes one.
  let next = program.ret(KILL_PROCESS);
  for (const [audit, abis] of chosen(seccomp, machine)) {
    const tree = search(program, segments(audit, abis, rules, otherwise));
    next = program.jump('jeq', audit, program.load(data.nr, tree), next);
  }
  const bytes = program.bytes(program.load(data.arch, next));
  if (bytes.length > 8 * MAX_INSTRUCTIONS)
    throw new PlanError(
      `linux.seccomp.syscalls: this takes ${bytes.length / 8} instructions; the kernel takes ${MAX_INSTRUCTIONS} (seccomp(2), EINVAL)`,
    );
  return bytes;
}

/** By the kernel's name for the machine; x32 and x86_64 share one. The machine's own comes last, and so is asked for first. */
function chosen(seccomp: Seccomp, machine: Machine): Map<number, Abi[]> {
  const words = new Set([...(seccomp.architectures ?? []), nativeWord(machine)]);
  const found = new Map<number, Abi[]>();
  words.delete(nativeWord(machine));
  for (const word of [...words, nativeWord(machine)]) {
    const abi = abiOf(word, machine);
    if (abi === undefined)
      throw new PlanError(`linux.seccomp.architectures: ${JSON.stringify(word)} is no architecture`);
    if (abi === 'elsewhere') continue;
    const before = found.get(abi.audit) ?? [];
    found.delete(abi.audit);
    found.set(abi.audit, [...before, abi]);
  }
  return found;
}

/** What happens from this number on, up to the next segment. */
interface Segment {
  readonly from: number;
  readonly rules: readonly Rule[];
  readonly otherwise: number;
  readonly narrow: boolean;
}

function segments(audit: number, abis: readonly Abi[], rules: readonly Rule[], otherwise: number): Segment[] {
  const edges = new Map<number, Segment>();
  const edge = (from: number, otherwise: number, rules: readonly Rule[] = [], narrow = false) =>
    edges.set(from, simplify({ from, rules, otherwise, narrow }));
  for (const abi of abis) {
    const byNumber = rulesByNumber(abi, rules);
    edge(abi.base, otherwise);
    for (const [number, own] of byNumber) {
      edge(abi.base + number, otherwise, own, abi.narrow);
      if (!byNumber.has(number + 1)) edge(abi.base + number + 1, otherwise);
    }
  }
  if (audit === AUDIT_X86_64) {
    if (!abis.some(({ base }) => base === X32_BIT)) edge(X32_BIT, KILL_PROCESS);
    // -1: a tracer cancelled the call (seccomp(2)); that is no call of x32.
    edge(0xffff_ffff, otherwise);
  }
  const ordered = [...edges.values()].sort((a, b) => a.from - b.from);
  return ordered.filter((segment, i) => !same(ordered[i - 1], segment));
}

function rulesByNumber(abi: Abi, rules: readonly Rule[]): Map<number, Rule[]> {
  const byNumber = new Map<number, Rule[]>();
  const add = (name: string, rule: Rule) => {
    const number = abi.numbers.get(name);
    if (number === undefined) return;
    const before = byNumber.get(number);
    if (before) before.push(rule);
    else byNumber.set(number, [rule]);
  };
  const both = abi.numbers.has('socketcall');
  for (const rule of rules)
    for (const name of rule.names) {
      add(name, rule);
      const hidden = both && rule.conditions.length === 0 ? multiplexed.get(name) : undefined;
      if (hidden) add(hidden.by, { ...rule, conditions: [hidden.condition] });
    }
  return byNumber;
}

/** Without a condition left it is one answer. */
function simplify(segment: Segment): Segment {
  const certain = segment.rules.findIndex(({ conditions }) => conditions.length === 0);
  if (certain < 0) return segment;
  return {
    ...segment,
    rules: segment.rules.slice(0, certain),
    otherwise: segment.rules[certain]?.ret ?? segment.otherwise,
  };
}

const same = (a: Segment | undefined, b: Segment) =>
  a !== undefined && a.rules.length === 0 && b.rules.length === 0 && a.otherwise === b.otherwise;

/** A binary search for the number, which is loaded: some seven jumps instead of some three hundred. */
function search(program: Program, found: readonly Segment[]): Place {
  const [only] = found;
  if (only && found.length === 1) return judge(program, only);
  const middle = found.length >> 1;
  const above = search(program, found.slice(middle));
  const below = search(program, found.slice(0, middle));
  return program.jump('jge', found[middle]?.from ?? 0, above, below);
}

function judge(program: Program, { rules, otherwise, narrow }: Segment): Place {
  let next = program.ret(otherwise);
  for (const rule of rules.toReversed()) {
    let then = program.ret(rule.ret);
    for (const condition of rule.conditions.toReversed())
      then = compare(program, condition, narrow, then, next);
    next = then;
  }
  return next;
}

/** BPF compares 32 bits, so the upper half decides first, and the lower one where the halves are equal. */
function compare(
  program: Program,
  condition: Condition,
  narrow: boolean,
  then: Place,
  otherwise: Place,
): Place {
  const { arg, op, value, mask } = condition;
  // What is not so: the opposite test with the answers exchanged.
  const [yes, no] = op === 'NE' || op === 'LT' || op === 'LE' ? [otherwise, then] : [then, otherwise];
  const test = op === 'GE' || op === 'LT' ? 'jge' : op === 'GT' || op === 'LE' ? 'jgt' : 'jeq';
  const half = (shift: bigint) =>
    [Number((value >> shift) & 0xffff_ffffn), Number((mask >> shift) & 0xffff_ffffn)] as const;
  const [low, lowMask] = half(0n);
  const [high, highMask] = half(32n);
  const masked = (mask: number) => (mask === 0xffff_ffff ? undefined : mask);

  const lower = program.load(data.low(arg), program.jump(test, low, yes, no), masked(lowMask));
  if (narrow) return lower;
  const upper = program.jump('jeq', high, lower, no);
  const decided = test === 'jeq' ? upper : program.jump('jgt', high, yes, upper);
  return program.load(data.high(arg), decided, masked(highMask));
}
