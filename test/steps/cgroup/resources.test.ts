/** Every field of `linux.resources` reaches a file of each version, or is refused by its name. */
import { expect, test } from 'vitest';
import type { Facts } from '../../../src/facts/facts.ts';
import type { Resources } from '../../../src/oci/spec.ts';
import { cgroupDirectories } from '../../../src/steps/cgroup/place.ts';
import { limits, pathOf } from '../../../src/steps/cgroup/resources.ts';
import { hybridHost, v1Host, v2Host } from './hosts.ts';

/** `file = data`, below the mount points. */
const written = (resources: Resources, facts: Facts) =>
  limits(resources, facts).map((limit) => {
    const path = pathOf(limit, cgroupDirectories('/c', facts.cgroup));
    return `${path.replace('/sys/fs/cgroup/', '')} = ${limit.data}`;
  });

const M = 1 << 20;
const cases: [string, Resources, string[], string[]][] = [
  [
    'memory',
    { memory: { limit: 64 * M, reservation: 32 * M, swap: 96 * M } },
    [
      'memory/c/memory.limit_in_bytes = 67108864',
      'memory/c/memory.memsw.limit_in_bytes = 100663296',
      'memory/c/memory.soft_limit_in_bytes = 33554432',
    ],
    ['c/memory.max = 67108864', 'c/memory.swap.max = 33554432', 'c/memory.low = 33554432'],
  ],
  [
    'memory without limit',
    { memory: { limit: -1, swap: -1 } },
    ['memory/c/memory.limit_in_bytes = -1', 'memory/c/memory.memsw.limit_in_bytes = -1'],
    ['c/memory.max = max', 'c/memory.swap.max = max'],
  ],
  [
    'cpu time',
    { cpu: { shares: 1024, quota: 20_000, period: 50_000, burst: 1000, idle: 1 } },
    [
      'cpu,cpuacct/c/cpu.shares = 1024',
      'cpu,cpuacct/c/cpu.cfs_period_us = 50000',
      'cpu,cpuacct/c/cpu.cfs_quota_us = 20000',
      'cpu,cpuacct/c/cpu.cfs_burst_us = 1000',
      'cpu,cpuacct/c/cpu.idle = 1',
    ],
    ['c/cpu.weight = 100', 'c/cpu.max = 20000 50000', 'c/cpu.max.burst = 1000', 'c/cpu.idle = 1'],
  ],
  ['no quota', { cpu: { quota: -1 } }, ['cpu,cpuacct/c/cpu.cfs_quota_us = -1'], ['c/cpu.max = max']],
  [
    'a period alone',
    { cpu: { period: 50_000 } },
    ['cpu,cpuacct/c/cpu.cfs_period_us = 50000'],
    ['c/cpu.max = max 50000'],
  ],
  [
    'cpuset',
    { cpu: { cpus: '0-1,3', mems: '0' } },
    ['cpuset/c/cpuset.cpus = 0-1,3', 'cpuset/c/cpuset.mems = 0'],
    ['c/cpuset.cpus = 0-1,3', 'c/cpuset.mems = 0'],
  ],
  ['pids', { pids: { limit: 7 } }, ['pids/c/pids.max = 7'], ['c/pids.max = 7']],
  ['no limit of pids', { pids: { limit: -1 } }, ['pids/c/pids.max = max'], ['c/pids.max = max']],
  [
    'block weights',
    { blockIO: { weight: 1000, weightDevice: [{ major: 8, minor: 16, weight: 10 }] } },
    ['blkio/c/blkio.bfq.weight = 1000', 'blkio/c/blkio.bfq.weight_device = 8:16 10'],
    ['c/io.weight = 10000', 'c/io.weight = 8:16 1'],
  ],
  [
    'throttling',
    {
      blockIO: {
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 300 }],
      },
    },
    [
      'blkio/c/blkio.throttle.read_bps_device = 8:0 600',
      'blkio/c/blkio.throttle.write_iops_device = 8:16 300',
    ],
    ['c/io.max = 8:0 rbps=600', 'c/io.max = 8:16 wiops=300'],
  ],
  [
    'huge pages',
    { hugepageLimits: [{ pageSize: '2MB', limit: 4 * M }] },
    ['hugetlb/c/hugetlb.2MB.rsvd.limit_in_bytes = 4194304'],
    ['c/hugetlb.2MB.rsvd.max = 4194304'],
  ],
  [
    'rdma',
    { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 } } },
    ['rdma/c/rdma.max = mlx5_1 hca_handle=3 hca_object=10000'],
    ['c/rdma.max = mlx5_1 hca_handle=3 hca_object=10000'],
  ],
];

test.each(cases)('%s', (_, resources, v1, v2) => {
  expect(written(resources, v1Host)).toEqual(v1);
  expect(written(resources, v2Host)).toEqual(v2);
});

test('what v1 alone has', () => {
  const more: Resources = {
    cpu: { realtimeRuntime: 950_000, realtimePeriod: 1_000_000 },
    memory: { kernelTCP: M, swappiness: 0, disableOOMKiller: true, useHierarchy: true },
    network: { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 500 }] },
  };
  expect(written(more, v1Host)).toEqual([
    'cpu,cpuacct/c/cpu.rt_period_us = 1000000',
    'cpu,cpuacct/c/cpu.rt_runtime_us = 950000',
    'memory/c/memory.kmem.tcp.limit_in_bytes = 1048576',
    'memory/c/memory.swappiness = 0',
    'memory/c/memory.oom_control = 1',
    'memory/c/memory.use_hierarchy = 1',
    'net_cls,net_prio/c/net_cls.classid = 1048577',
    'net_cls,net_prio/c/net_prio.ifpriomap = eth0 500',
  ]);
});

test('what engines fill in asks for nothing', () => {
  const empty: Resources = {
    memory: { limit: 0, swap: 0, reservation: 0, disableOOMKiller: false },
    cpu: { shares: 0, quota: 0, period: 0, cpus: '', idle: 0, realtimeRuntime: 0 },
    pids: { limit: 0 },
    blockIO: { weight: 0, leafWeight: 0 },
    network: {},
  };
  for (const host of [v1Host, v2Host]) expect(written(empty, host)).toEqual([]);
});

const refused: [string, Resources, Facts, RegExp][] = [
  ['kernel memory', { memory: { kernel: M } }, v1Host, /memory\.kernel: since Linux 5\.16/],
  ['kernel memory, v2', { memory: { kernel: M } }, v2Host, /memory\.kernel: cgroup v2/],
  ['TCP memory, v2', { memory: { kernelTCP: M } }, v2Host, /memory\.kernelTCP/],
  ['swappiness, v2', { memory: { swappiness: 10 } }, v2Host, /memory\.swappiness/],
  [
    'swappiness',
    { memory: { swappiness: 101 } },
    v1Host,
    /memory\.swappiness is 101|memory\.swappiness: is 101/,
  ],
  ['the OOM killer, v2', { memory: { disableOOMKiller: true } }, v2Host, /memory\.disableOOMKiller/],
  ['no hierarchy, v2', { memory: { useHierarchy: false } }, v2Host, /memory\.useHierarchy/],
  ['real time, v2', { cpu: { realtimeRuntime: 1 } }, v2Host, /cpu\.realtimeRuntime/],
  ['leaves, v1', { blockIO: { leafWeight: 10 } }, v1Host, /blockIO\.leafWeight/],
  [
    'a device’s leaves, v1',
    { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } },
    v1Host,
    /blockIO\.weightDevice\[0\]\.leafWeight/,
  ],
  ['leaves, v2', { blockIO: { leafWeight: 10 } }, v2Host, /blockIO\.leafWeight/],
  ['network, v2', { network: { classID: 1 } }, v2Host, /network\.classID/],
  [
    'priorities, hybrid',
    { network: { priorities: [{ name: 'lo', priority: 1 }] } },
    hybridHost,
    /network\.priorities/,
  ],
  [
    'a controller that is not there',
    { cpu: { quota: 1000 } },
    hybridHost,
    /cpu\.quota: this host has no cpu controller.*memory, pids, hugetlb/,
  ],
  [
    'block devices, hybrid',
    { blockIO: { weight: 10 } },
    hybridHost,
    /blockIO\.weight: this host has no io controller/,
  ],
  ['unified under v1', { unified: { 'memory.high': '1' } }, v1Host, /unified\["memory\.high"\]: .*v1/],
  [
    'unified, unknown controller',
    { unified: { 'misc.max': '1' } },
    v2Host,
    /unified\["misc\.max"\]: this host has no misc controller/,
  ],
  ['unified, elsewhere', { unified: { '../memory.max': '1' } }, v2Host, /unified/],
  ['unified, other processes', { unified: { 'cgroup.procs': '1' } }, v2Host, /unified\["cgroup\.procs"\]/],
  [
    'a page size that leads elsewhere',
    { hugepageLimits: [{ pageSize: '/../x', limit: 1 }] },
    v2Host,
    /hugepageLimits\[0\]/,
  ],
  ['CPUs that are no list', { cpu: { cpus: 'all' } }, v1Host, /cpu\.cpus/],
  ['a fraction', { pids: { limit: 1.5 } }, v1Host, /pids\.limit: is 1\.5/],
];

test.each(refused)('%s is refused by name', (_, resources, facts, message) => {
  expect(() => limits(resources, facts)).toThrow(message);
});

test('unified is passed through, where its controller is', () => {
  const unified = { 'io.max': '259:0 rbps=2097152 wiops=120', 'memory.high': '1000' };
  expect(written({ unified }, v2Host)).toEqual([`c/io.max = ${unified['io.max']}`, 'c/memory.high = 1000']);
  expect(written({ unified: { 'hugetlb.2MB.max': '0' } }, hybridHost)).toEqual([
    'unified/c/hugetlb.2MB.max = 0',
  ]);
});

test('a hybrid host: each controller in its own tree', () => {
  expect(
    written({ pids: { limit: 5 }, hugepageLimits: [{ pageSize: '2MB', limit: 0 }] }, hybridHost),
  ).toEqual(['pids/c/pids.max = 5', 'unified/c/hugetlb.2MB.rsvd.max = 0']);
});

test('BFQ has files of its own name and takes the weight as it is', () => {
  const facts = { ...v2Host, cgroup: { ...v2Host.cgroup, bfq: true } };
  expect(written({ blockIO: { weight: 500 } }, facts)).toEqual(['c/io.bfq.weight = 500']);
});
