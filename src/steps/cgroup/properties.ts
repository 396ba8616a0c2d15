/**
 * Limits as properties of a systemd unit (systemd.resource-control(5); by their names and types on D-Bus,
 * org.freedesktop.systemd1(5)). They are read off the files' texts, so `unified` and the other fields come out alike.
 */
import type { Resources } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import { deviceRules, type Rule } from './devices.ts';
import type { Limit } from './resources.ts';

/** Name, type and values, in busctl(1)'s words. */
export type Property = readonly [name: string, type: string, ...values: string[]];

/** systemd's word for no limit: UINT64_MAX. */
const INFINITY = '18446744073709551615';

/**
 * What systemd knows by itself; other files say enough where they are. v1's names where v1 has the file, for systemd
 * would convert others.
 */
const byFile: Readonly<Record<string, (data: string) => Property[]>> = {
  'memory.max': number('MemoryMax'),
  'memory.high': number('MemoryHigh'),
  'memory.low': number('MemoryLow'),
  'memory.min': number('MemoryMin'),
  'memory.swap.max': number('MemorySwapMax'),
  'memory.limit_in_bytes': number('MemoryLimit'),
  'pids.max': number('TasksMax'),
  'cpu.weight': number('CPUWeight'),
  'cpu.shares': number('CPUShares'),
  'cpu.idle': (data) => [['CPUWeight', 't', data === '1' ? '0' : '100']],
  'cpu.max': (data) => quota(...(data.split(' ') as [string, string?])),
  'io.weight': (data) =>
    /^(default )?\d+$/.test(data) ? number('IOWeight')(data.replace('default ', '')) : [],
  'blkio.weight': number('BlockIOWeight'),
  'cpuset.cpus': mask('AllowedCPUs'),
  'cpuset.mems': mask('AllowedMemoryNodes'),
};

/** All that a scope is to have: what is asked, and no limit on tasks where none is asked, or systemd's default would be. */
export function propertiesFor(
  wanted: readonly Limit[],
  resources: Resources,
  manager: 'system' | 'user',
): Property[] {
  const limits = limitProperties(wanted);
  return [
    ...(limits.some(([name]) => name === 'TasksMax') ? [] : [['TasksMax', 't', INFINITY] as const]),
    ...limits,
    // An ordinary user's systemd may load no programs, and says so in its log alone.
    ...(manager === 'user' ? [] : deviceProperties(deviceRules(resources.devices ?? []))),
  ];
}

/** Of those that are named twice the last counts, as among the files. */
export function limitProperties(wanted: readonly Limit[]): Property[] {
  const idleNoMore = ({ file, data }: Limit) => Number(file !== 'cpu.idle' || data === '1');
  const all = wanted
    // Then the weight counts, if there is one.
    .toSorted((a, b) => idleNoMore(a) - idleNoMore(b))
    // v1 has cpusets as well, but systemd knows v2's only.
    .filter(({ version, controller }) => !(version === 1 && controller === 'cpuset'))
    .flatMap(({ file, data }) => byFile[file]?.(data) ?? []);
  return [...new Map([...all, ...v1Quota(wanted)].map((property) => [property[0], property])).values()];
}

function number(name: string): (data: string) => Property[] {
  return (data) => [[name, 't', data === 'max' || data.startsWith('-') ? INFINITY : data]];
}

/** cgroups(7) has µs per period, systemd µs per second, and in its files whole percents: rounded up, for the exact limit is below. */
function quota(us: string, period = '100000'): Property[] {
  const percents = Math.ceil((Number(us) * 100) / Number(period));
  const limit = Number(us) >= 0 ? String(percents * 10_000) : INFINITY;
  return [
    ['CPUQuotaPerSecUSec', 't', limit],
    ['CPUQuotaPeriodUSec', 't', period],
  ];
}

/** v1 has two files for it. */
function v1Quota(wanted: readonly Limit[]): Property[] {
  const of = (file: string) => wanted.findLast((limit) => limit.file === file)?.data;
  const us = of('cpu.cfs_quota_us');
  return us === undefined ? [] : quota(us, of('cpu.cfs_period_us'));
}

/** `0-2,9` as bytes, lowest first: 7, 2. Steps of ranges (`0-9:1/2`) stay in the file alone. */
function mask(name: string): (data: string) => Property[] {
  return (data) => {
    if (data.includes(':')) return [];
    const bytes: number[] = [];
    for (const range of data.split(',')) {
      const [first = 0, last = first] = range.split('-').map(Number);
      for (let bit = first; bit <= Math.min(last, 8191); bit++)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
    return [[name, 'ay', String(bytes.length), ...Array.from(bytes, (byte) => String(byte ?? 0))]];
  };
}

/**
 * Nothing but a list of what is allowed can be said to systemd. Where that is not what the rules say, or not in its words,
 * it allows all: the exact answer is the container's own cgroup's.
 */
function deviceProperties(rules: readonly Rule[]): Property[] {
  const blanket = rules.findLastIndex((rule) => rule.type === undefined);
  const after = rules.slice(blanket + 1).filter(({ allow }) => allow);
  const entries = after.map((rule) => [deviceName(rule), rule.access.join('')] as const);
  if (rules[blanket]?.allow !== false || entries.some(([name]) => name === undefined)) return [];
  return [
    ['DevicePolicy', 's', 'strict'],
    [
      'DeviceAllow',
      'a(ss)',
      String(entries.length),
      ...entries.flatMap(([name = '', access]) => [name, access]),
    ],
  ];
}

/** A node's number as a path that need not be there, or a group by its number. */
function deviceName({ type, major, minor }: Rule): string | undefined {
  const word = type === 'b' ? 'block' : 'char';
  if (minor !== -1) return major === -1 ? undefined : `/dev/${word}/${major}:${minor}`;
  return `${word}-${major === -1 ? '*' : major}`;
}

const PREFIX = 'org.systemd.property.';
/** On these the rest of the plan relies. */
const settled = ['Slice', 'PIDs', 'Delegate'];
const types: Readonly<Record<string, string>> = {
  byte: 'y',
  int16: 'n',
  uint16: 'q',
  int32: 'i',
  uint32: 'u',
  int64: 'x',
  uint64: 't',
  double: 'd',
};

/**
 * What engines ask for by annotation, as `org.systemd.property.TimeoutStopUSec: "uint64 10000000"`: values in GVariant's
 * text format, of the basic types and lists of strings.
 *
 * @throws PlanError naming the annotation.
 */
export function requested(annotations: Readonly<Record<string, string>> = {}): Property[] {
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, text]) => {
      const value = variant(text.trim());
      const name = key.slice(PREFIX.length);
      if (settled.includes(name))
        throw new PlanError(`annotations[${key}]: it follows from linux.cgroupsPath; leave it out`);
      if (!value || !/^[A-Z]\w*$/.test(name))
        throw new PlanError(
          `annotations[${key}] is ${JSON.stringify(text)}; it takes a property and a value such as true, 'text' or uint64 5`,
        );
      return [name, ...value];
    });
}

function variant(text: string): readonly [string, ...string[]] | undefined {
  const [, type = 'int32', digits] = /^(?:(\w+) )?(-?\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (digits !== undefined) return types[type] === undefined ? undefined : [types[type], digits];
  if (text === 'true' || text === 'false') return ['b', text];
  const strings = [...text.matchAll(/'([^'\\]*)'|"([^"\\]*)"/g)].map(([, a, b]) => a ?? b ?? '');
  const quoted = `'[^'\\\\]*'|"[^"\\\\]*"`;
  if (new RegExp(`^(${quoted})$`).test(text)) return ['s', strings[0] ?? ''];
  if (new RegExp(`^\\[((${quoted})(, ?(${quoted}))*)?\\]$`).test(text))
    return ['as', String(strings.length), ...strings];
  return undefined;
}
