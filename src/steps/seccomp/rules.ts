/** The config's `linux.seccomp` as rules with numbers in place of names, every word of it checked. */
import type { Seccomp, SeccompRule } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';

export interface Rule {
  readonly names: readonly string[];
  /** What the filter returns: action and data (seccomp(2), SECCOMP_RET_…). */
  readonly ret: number;
  /** All of them have to hold. */
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly arg: number;
  readonly op: Operator;
  /** Of 64 bits. */
  readonly value: bigint;
  readonly mask: bigint;
}

export const operators = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'] as const;
export type Operator = (typeof operators)[number];

/** By libseccomp's words, which the config uses. */
const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};
export const actionWords = Object.keys(actions);
export const KILL_PROCESS = 0x8000_0000;
export const NOTIFY = 0x7fc0_0000;

const EPERM = 1;
/** The kernel's largest errno; a tracer's message may use all 16 bits (seccomp(2)). */
const largest: Readonly<Record<string, number>> = { SCMP_ACT_ERRNO: 4095, SCMP_ACT_TRACE: 0xffff };
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** @throws PlanError naming the field. */
export function readRules(seccomp: Seccomp): { rules: Rule[]; otherwise: number } {
  const otherwise = returnValue(
    seccomp.defaultAction,
    seccomp.defaultErrnoRet,
    'linux.seccomp.default',
    'Action',
    'ErrnoRet',
  );
  return { otherwise, rules: (seccomp.syscalls ?? []).flatMap(readRule) };
}

function readRule(rule: SeccompRule, i: number): Rule[] {
  const field = `linux.seccomp.syscalls[${i}]`;
  if (!rule.names?.length) throw new PlanError(`${field}.names: it has to name one system call at least`);
  const ret = returnValue(rule.action, rule.errnoRet, `${field}.`, 'action', 'errnoRet');
  const conditions = (rule.args ?? []).map((arg, j) => readCondition(arg, `${field}.args[${j}]`));
  const { names } = rule;
  // runc's rule, which profiles count on: with an argument compared twice, the comparisons are alternatives.
  const twice = new Set(conditions.map(({ arg }) => arg)).size < conditions.length;
  return twice ? conditions.map((one) => ({ names, ret, conditions: [one] })) : [{ names, ret, conditions }];
}

function returnValue(
  action: string,
  errno: number | undefined,
  prefix: string,
  actionName: string,
  errnoName: string,
): number {
  const value = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (value === undefined)
    throw new PlanError(
      `${prefix}${actionName} is ${JSON.stringify(action)}; it takes one of ${Object.keys(actions).join(', ')}`,
    );
  const most = largest[action];
  if (most === undefined) {
    // config-linux.md: with an action that has no errno, the runtime has to fail.
    if (errno !== undefined) throw new PlanError(`${prefix}${errnoName}: ${action} returns no errno`);
    return value;
  }
  const data = errno ?? EPERM;
  if (!Number.isInteger(data) || data < 0 || data > most)
    throw new PlanError(`${prefix}${errnoName} is ${data}; with ${action} it takes 0 to ${most}`);
  return value + data;
}

type Arg = NonNullable<SeccompRule['args']>[number];

function readCondition({ index, op, value, valueTwo }: Arg, field: string): Condition {
  if (!Number.isInteger(index) || index < 0 || index > 5)
    throw new PlanError(`${field}.index is ${index}; a system call has arguments 0 to 5`);
  const operator = operators.find((known) => op === `SCMP_CMP_${known}`);
  if (!operator)
    throw new PlanError(
      `${field}.op is ${JSON.stringify(op)}; it takes one of ${operators.map((known) => `SCMP_CMP_${known}`).join(', ')}`,
    );
  const one = u64(value, `${field}.value`);
  if (operator !== 'MASKED_EQ') return { arg: index, op: operator, value: one, mask: U64_MAX };
  return { arg: index, op: operator, value: u64(valueTwo ?? 0, `${field}.valueTwo`), mask: one };
}

/** A number above 2^53 has lost digits when JSON was read; parseConfig keeps such as text. */
function u64(value: number | string, field: string): bigint {
  const exact =
    typeof value === 'string' ? /^\d{1,20}$/.test(value) : Number.isSafeInteger(value) && value >= 0;
  const number = exact ? BigInt(value) : -1n;
  if (number < 0n || number > U64_MAX)
    throw new PlanError(
      `${field} is ${value}; it takes an integer from 0 to 2^64-1, above 2^53 as a string of digits`,
    );
  return number;
}
