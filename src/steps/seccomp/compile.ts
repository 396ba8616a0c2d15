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
  const byName = verdicts(rules, otherwise);
  const program = new Program();
  // A call by another machine's numbers would be judged by the wrong names: nothing of ours makes one.
  let next = program.ret(KILL_PROCESS);
  for (const [audit, abis] of chosen(seccomp, machine)) {
    const tree = search(program, segments(audit, abis, byName, otherwise));
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

/** What is decided for a call: the first rule whose conditions hold, else this answer. */
interface Verdict {
  readonly rules: readonly Rule[];
  readonly otherwise: number;
}

function verdicts(rules: readonly Rule[], otherwise: number): Map<string, Verdict> {
  const byName = new Map<string, Rule[]>();
  const add = (name: string, rule: Rule) => {
    const before = byName.get(name);
    if (before) before.push(rule);
    else byName.set(name, [rule]);
  };
  for (const rule of rules)
    for (const name of rule.names) {
      add(name, rule);
      const hidden = rule.conditions.length === 0 ? multiplexed.get(name) : undefined;
      if (hidden) add(hidden.by, { ...rule, conditions: [hidden.condition] });
    }
  return new Map([...byName].map(([name, own]) => [name, verdict(own, otherwise)]));
}

/** What stands behind a rule without conditions is never asked. */
function verdict(rules: readonly Rule[], otherwise: number): Verdict {
  const certain = rules.findIndex(({ conditions }) => conditions.length === 0);
  if (certain < 0) return { rules, otherwise };
  return { rules: rules.slice(0, certain), otherwise: rules[certain]?.ret ?? otherwise };
}

/** From this number on, up to the next segment. */
interface Segment extends Verdict {
  readonly from: number;
  readonly narrow: boolean;
}

function segments(
  audit: number,
  abis: readonly Abi[],
  byName: ReadonlyMap<string, Verdict>,
  otherwise: number,
): Segment[] {
  const found: Segment[] = [];
  const nothing: Verdict = { rules: [], otherwise };
  const add = (from: number, { rules, otherwise }: Verdict, narrow = false) => {
    const last = found.at(-1);
    if (last && last.rules.length + rules.length === 0 && last.otherwise === otherwise) return;
    found.push({ from, rules, otherwise, narrow });
  };
  for (const { base, narrow, numbers } of abis.toSorted((a, b) => a.base - b.base)) {
    let next = 0;
    for (const [name, number] of numbers) {
      if (number !== next) add(base + next, nothing);
      add(base + number, byName.get(name) ?? nothing, narrow);
      next = number + 1;
    }
    add(base + next, nothing);
  }
  if (audit === AUDIT_X86_64) {
    if (!abis.some(({ base }) => base === X32_BIT)) add(X32_BIT, { rules: [], otherwise: KILL_PROCESS });
    // -1: a tracer cancelled the call (seccomp(2)); that is no call of x32.
    add(0xffff_ffff, nothing);
  }
  return found;
}

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
