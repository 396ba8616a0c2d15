/** Who may open which device: the config's rules in their order, and v1's way of telling them to the kernel. */
import type { DeviceRule } from '../../oci/spec.ts';
import { refuse, type Write } from './write.ts';

/** A rule with nothing left out. */
export interface Rule {
  readonly allow: boolean;
  /** Undefined: character and block devices, all numbers, any access. */
  readonly type: 'c' | 'b' | undefined;
  /** -1: all. */
  readonly major: number;
  readonly minor: number;
  readonly access: readonly Access[];
  readonly field: string;
}

export type Access = 'r' | 'w' | 'm';
const everything: readonly Access[] = ['r', 'w', 'm'];

/**
 * What the runtime itself puts into every /dev stays usable, or a list that begins with "deny all" would leave
 * no /dev/null. Making nodes is a matter of CAP_MKNOD; using them is what the list is about.
 */
const always = [
  'c *:* m',
  'b *:* m',
  'c 1:3',
  'c 1:5',
  'c 1:7',
  'c 1:8',
  'c 1:9',
  'c 5:0',
  'c 5:2',
  'c 136:*',
];

/**
 * The rules in order: the last one that matches decides; none, and it is allowed.
 *
 * @throws PlanError naming the rule.
 */
export function deviceRules(devices: readonly DeviceRule[]): Rule[] {
  const rules = devices.flatMap((device, i) => normal(device, `devices[${i}]`));
  const blanket = rules.findLast((rule) => rule.type === undefined);
  if (blanket?.allow !== false) return rules;
  return [...rules, ...always.flatMap((text) => normal(parseDeviceRule(text) as DeviceRule, 'devices'))];
}

/** `c 1:3 rwm`, as devices.allow takes it; without access all of it. Undefined: it is none. */
export function parseDeviceRule(text: string): DeviceRule | undefined {
  const found = /^([abc]) (\d+|\*):(\d+|\*)(?: ([rwm]{1,3}))?$/.exec(text);
  if (!found) return undefined;
  const [, type, major, minor, access = 'rwm'] = found;
  const number = (word: string | undefined) => (word === '*' ? -1 : Number(word));
  return { allow: true, type: type as 'a', major: number(major), minor: number(minor), access };
}

/** "All" with a number or with less than all access means characters and blocks, each. */
function normal({ allow, type = 'a', major, minor, access }: DeviceRule, field: string): Rule[] {
  const letters = [...new Set(access === undefined || access === '' ? everything : access)] as Access[];
  if (!['a', 'b', 'c'].includes(type)) refuse(field, `type is ${JSON.stringify(type)}; it takes a, b or c`);
  if (letters.some((letter) => !everything.includes(letter)))
    refuse(field, `access is ${JSON.stringify(access)}; it takes some of r, w and m`);
  const common = {
    allow,
    // The kernel packs a device's number into 12 and 20 bits (makedev(3)).
    major: number(major, 0xfff, `${field}.major`),
    minor: number(minor, 0xfffff, `${field}.minor`),
    access: letters,
    field: `linux.resources.${field}`,
  };
  if (type !== 'a') return [{ ...common, type: type as 'b' | 'c' }];
  if (common.major === -1 && common.minor === -1 && letters.length === 3)
    return [{ ...common, type: undefined }];
  return [
    { ...common, type: 'c' },
    { ...common, type: 'b' },
  ];
}

function number(value: number | undefined, most: number, field: string): number {
  if (value === undefined || value === -1) return -1;
  if (!Number.isInteger(value) || value < 0 || value > most)
    refuse(field, `is ${value}; it takes 0 to ${most}, or -1 for all`);
  return value;
}

/**
 * v1 keeps one answer for all devices, and a list of exceptions from it (devices.rst). An exception is only taken
 * back by a rule with the same numbers: a rule that would cut a part out of one has no effect there, and is refused.
 */
export function v1DeviceLines(devices: readonly DeviceRule[]): Write[] {
  let allowed = true;
  let exceptions: Rule[] = [];
  return deviceRules(devices).flatMap((rule): Write[] => {
    const line = { file: `devices.${rule.allow ? 'allow' : 'deny'}`, data: text(rule), field: rule.field };
    if (rule.type === undefined) {
      allowed = rule.allow;
      exceptions = [];
      return [line];
    }
    if (rule.allow !== allowed) {
      exceptions.push(rule);
      return [line];
    }
    const partly = exceptions.find((other) => overlap(rule, other) && !same(rule, other));
    if (partly)
      refuse(
        rule.field.replace('linux.resources.', ''),
        `cgroup v1 can't cut ${text(rule)} out of ${text(partly)}; name the devices one by one, or use cgroup v2`,
      );
    return exceptions.some((other) => same(rule, other)) ? [line] : [];
  });
}

const same = (a: Rule, b: Rule) => a.type === b.type && a.major === b.major && a.minor === b.minor;

function overlap(a: Rule, b: Rule): boolean {
  const meet = (x: number, y: number) => x === -1 || y === -1 || x === y;
  return (
    a.type === b.type &&
    meet(a.major, b.major) &&
    meet(a.minor, b.minor) &&
    a.access.some((letter) => b.access.includes(letter))
  );
}

function text({ type, major, minor, access }: Rule): string {
  const number = (value: number) => (value === -1 ? '*' : String(value));
  return `${type ?? 'a'} ${number(major)}:${number(minor)} ${access.join('')}`;
}
