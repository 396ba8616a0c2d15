/** What a container has used, as the kernel counted it; the object has the shape that `runc events --stats` prints under `data`. */
import { readdirSync } from 'node:fs';
import { keyed, number, oomKills, text } from '../evidence/cgroup.ts';
import type { CgroupDirectories } from '../steps/cgroup/place.ts';
import { pids } from './cgroup.ts';

/** Times in nanoseconds, sizes in bytes. What the host does not count is left out, and so is a limit that is none. */
export interface Stats {
  cpu?: {
    usage: { total?: number; percpu?: number[]; kernel?: number; user?: number };
    throttling?: { periods: number; throttledPeriods: number; throttledTime: number };
  };
  memory?: {
    cache?: number;
    usage: Counter;
    swap?: Counter;
    oomKills?: number;
    raw: Record<string, number>;
  };
  pids: { current: number; limit?: number };
  blkio?: { ioServiceBytesRecursive: IoEntry[]; ioServicedRecursive: IoEntry[] };
  hugetlb?: Record<string, Counter>;
}

export interface Counter {
  usage?: number;
  max?: number;
  failcnt?: number;
  limit?: number;
}

export interface IoEntry {
  major: number;
  minor: number;
  op: string;
  value: number;
}

export function stats(directories: CgroupDirectories): Stats {
  const { unified, controllers } = directories;
  return tidy({
    cpu: controllers.cpuacct === undefined ? cpuV2(unified) : cpuV1(controllers),
    memory: controllers.memory === undefined ? memoryV2(unified) : memoryV1(controllers.memory),
    pids: tasks(controllers.pids ?? unified, directories),
    blkio: controllers.blkio === undefined ? ioV2(unified) : ioV1(controllers.blkio),
    hugetlb:
      controllers.hugetlb === undefined ? hugetlb(unified, v2Files) : hugetlb(controllers.hugetlb, v1Files),
  }) as Stats;
}

function cpuV1(controllers: CgroupDirectories['controllers']): Stats['cpu'] {
  const { cpuacct, cpu } = controllers;
  const stat = keyed(cpu, 'cpu.stat');
  return tidy({
    usage: tidy({
      total: number(cpuacct, 'cpuacct.usage'),
      percpu: text(cpuacct, 'cpuacct.usage_percpu')?.split(' ').map(Number),
      kernel: number(cpuacct, 'cpuacct.usage_sys'),
      user: number(cpuacct, 'cpuacct.usage_user'),
    }),
    throttling: throttling(stat, stat?.throttled_time),
  });
}

/** cpu.stat counts in microseconds; usage is there without the controller, too. */
function cpuV2(unified: string | undefined): Stats['cpu'] {
  const stat = keyed(unified, 'cpu.stat');
  const ns = (usec: number | undefined) => (usec === undefined ? undefined : usec * 1000);
  if (!stat) return undefined;
  return tidy({
    usage: tidy({ total: ns(stat.usage_usec), kernel: ns(stat.system_usec), user: ns(stat.user_usec) }),
    throttling: throttling(stat, ns(stat.throttled_usec)),
  });
}

function throttling(stat: Record<string, number> | undefined, time: number | undefined) {
  if (stat?.nr_periods === undefined) return undefined;
  return {
    periods: stat.nr_periods,
    throttledPeriods: stat.nr_throttled ?? 0,
    throttledTime: time ?? 0,
  };
}

function memoryV1(memory: string): Stats['memory'] {
  const raw = keyed(memory, 'memory.stat') ?? {};
  const counter = (name: string): Counter =>
    tidy({
      usage: number(memory, `${name}.usage_in_bytes`),
      max: number(memory, `${name}.max_usage_in_bytes`),
      failcnt: number(memory, `${name}.failcnt`),
      limit: bounded(number(memory, `${name}.limit_in_bytes`)),
    });
  return tidy({
    cache: raw.total_cache ?? raw.cache,
    usage: counter('memory'),
    swap: counter('memory.memsw'),
    oomKills: oomKills(memory),
    raw,
  });
}

function memoryV2(unified: string | undefined): Stats['memory'] {
  const usage = number(unified, 'memory.current');
  if (usage === undefined) return undefined;
  const raw = keyed(unified, 'memory.stat') ?? {};
  return tidy({
    cache: raw.file,
    usage: tidy({
      usage,
      max: number(unified, 'memory.peak'),
      failcnt: keyed(unified, 'memory.events')?.max,
      limit: number(unified, 'memory.max'),
    }),
    swap: tidy({
      usage: number(unified, 'memory.swap.current'),
      max: number(unified, 'memory.swap.peak'),
      failcnt: keyed(unified, 'memory.swap.events')?.max,
      limit: number(unified, 'memory.swap.max'),
    }),
    oomKills: oomKills(unified),
    raw,
  });
}

/** v1 has no word for "no limit": it says the largest number of pages that it can count. */
function bounded(limit: number | undefined): number | undefined {
  return limit !== undefined && limit > 0x7fff_ffff_ffff_0000 - 0x1_0000 ? undefined : limit;
}

function tasks(directory: string | undefined, directories: CgroupDirectories): Stats['pids'] {
  return tidy({
    current: number(directory, 'pids.current') ?? pids(directories).length,
    limit: number(directory, 'pids.max'),
  });
}

/** `8:0 Read 4096`, and a line with the total. */
function ioV1(blkio: string): Stats['blkio'] {
  const parse = (file: string): IoEntry[] =>
    (text(blkio, file) ?? '').split('\n').flatMap((line) => {
      const found = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
      return found
        ? [
            {
              major: Number(found[1]),
              minor: Number(found[2]),
              op: String(found[3]),
              value: Number(found[4]),
            },
          ]
        : [];
    });
  return {
    ioServiceBytesRecursive: parse('blkio.throttle.io_service_bytes_recursive'),
    ioServicedRecursive: parse('blkio.throttle.io_serviced_recursive'),
  };
}

/** `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 …` */
function ioV2(unified: string | undefined): Stats['blkio'] {
  const found = text(unified, 'io.stat');
  if (found === undefined) return undefined;
  const parse = (ops: Readonly<Record<string, string>>): IoEntry[] =>
    found.split('\n').flatMap((line) => {
      const [device = '', ...pairs] = line.split(' ');
      const [major, minor] = device.split(':').map(Number);
      return pairs.flatMap((pair) => {
        const [key = '', value] = pair.split('=');
        const op = ops[key];
        return op === undefined || major === undefined || minor === undefined
          ? []
          : [{ major, minor, op, value: Number(value) }];
      });
    });
  return {
    ioServiceBytesRecursive: parse({ rbytes: 'Read', wbytes: 'Write', dbytes: 'Discard' }),
    ioServicedRecursive: parse({ rios: 'Read', wios: 'Write', dios: 'Discard' }),
  };
}

const v1Files = { usage: 'usage_in_bytes', max: 'max_usage_in_bytes', limit: 'limit_in_bytes' };
const v2Files = { usage: 'current', max: undefined, limit: 'max' };

function hugetlb(
  directory: string | undefined,
  files: { usage: string; max: string | undefined; limit: string },
): Stats['hugetlb'] {
  const sizes = list(directory).flatMap((name) => /^hugetlb\.(\d+[KMG]B)\.[a-z_]+$/.exec(name)?.[1] ?? []);
  if (sizes.length === 0) return undefined;
  return Object.fromEntries(
    [...new Set(sizes)].map((size) => [
      size,
      tidy({
        usage: number(directory, `hugetlb.${size}.${files.usage}`),
        max: files.max === undefined ? undefined : number(directory, `hugetlb.${size}.${files.max}`),
        failcnt:
          number(directory, `hugetlb.${size}.failcnt`) ?? keyed(directory, `hugetlb.${size}.events`)?.max,
        limit: bounded(number(directory, `hugetlb.${size}.${files.limit}`)),
      }),
    ]),
  );
}

function list(directory: string | undefined): string[] {
  try {
    return directory === undefined ? [] : readdirSync(directory);
  } catch {
    return [];
  }
}

/** Without what is unknown, so that JSON and comparisons don't see it. */
function tidy<T extends object>(
  value: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as never;
}
