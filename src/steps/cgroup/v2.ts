/** Resources as the files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst). What v2 hasn't is refused by name. */
import type { BlockIO, Resources, Throttle } from '../../oci/spec.ts';
import { cpuWeight, ioWeight, swapAlone } from './convert.ts';
import { hugepages, rdma } from './same.ts';
import { ask, deviceLine, list, refuse, type Write, type Writer, whole, wholeOrMax } from './write.ts';

export const v2: Writer = {
  cpuset: ({ cpu = {} }) => [
    ...list('cpuset.cpus', cpu.cpus, 'cpu.cpus'),
    ...list('cpuset.mems', cpu.mems, 'cpu.mems'),
  ],

  cpu: ({ cpu = {} }) => {
    if (cpu.realtimeRuntime) unknown('cpu.realtimeRuntime');
    if (cpu.realtimePeriod) unknown('cpu.realtimePeriod');
    return [
      ...ask('cpu.weight', cpu.shares, 'cpu.shares', (shares) => String(cpuWeight(shares))),
      ...cpuMax(cpu),
      ...ask('cpu.max.burst', cpu.burst, 'cpu.burst'),
      // Last: an idle cgroup has no weight to set.
      ...ask('cpu.idle', cpu.idle, 'cpu.idle'),
    ];
  },

  memory: ({ memory = {} }) => {
    if (memory.kernel) unknown('memory.kernel', 'kernel memory counts for memory.limit');
    if (memory.kernelTCP) unknown('memory.kernelTCP', 'kernel memory counts for memory.limit');
    if (memory.swappiness !== undefined) unknown('memory.swappiness');
    if (memory.disableOOMKiller) unknown('memory.disableOOMKiller');
    if (memory.useHierarchy === false) refuse('memory.useHierarchy', 'cgroup v2 is always hierarchical');
    const swap = swapAlone(memory.swap, memory.limit);
    return [
      ...ask('memory.max', memory.limit, 'memory.limit', wholeOrMax),
      ...(swap === undefined
        ? []
        : [
            {
              file: 'memory.swap.max',
              data: wholeOrMax(swap, 'memory.swap'),
              field: 'linux.resources.memory.swap',
            },
          ]),
      ...ask('memory.low', memory.reservation, 'memory.reservation', wholeOrMax),
    ];
  },

  pids: ({ pids = {} }) => ask('pids.max', pids.limit, 'pids.limit', wholeOrMax),

  blkio: ({ blockIO = {} }, { cgroup }) => [
    ...weights(blockIO, cgroup.bfq === true),
    ...throttle('rbps', blockIO.throttleReadBpsDevice, 'throttleReadBpsDevice'),
    ...throttle('wbps', blockIO.throttleWriteBpsDevice, 'throttleWriteBpsDevice'),
    ...throttle('riops', blockIO.throttleReadIOPSDevice, 'throttleReadIOPSDevice'),
    ...throttle('wiops', blockIO.throttleWriteIOPSDevice, 'throttleWriteIOPSDevice'),
  ],

  hugetlb: (resources, { kernel }) => hugepages(resources, kernel, 'max'),
  rdma,
  // Not by a file: see device-filter.ts.
  devices: () => [],
  net_cls: ({ network }) => (network?.classID ? unknown('network.classID') : []),
  net_prio: ({ network }) => (network?.priorities?.length ? unknown('network.priorities') : []),
};

function unknown(field: string, instead = 'leave it out'): never {
  refuse(field, `cgroup v2 has no such thing; ${instead}`);
}

/** One file for both: `quota period`. A quota alone leaves the period as it is. */
function cpuMax({ quota, period }: NonNullable<Resources['cpu']>): Write[] {
  if (!quota && !period) return [];
  const field = quota ? 'cpu.quota' : 'cpu.period';
  const data = [
    quota ? wholeOrMax(quota, 'cpu.quota') : 'max',
    ...(period ? [whole(period, 'cpu.period')] : []),
  ].join(' ');
  return [{ file: 'cpu.max', data, field: `linux.resources.${field}` }];
}

function weights(blockIO: BlockIO, bfq: boolean): Write[] {
  const file = bfq ? 'io.bfq.weight' : 'io.weight';
  const weightOf = (weight: number, field: string) => whole(bfq ? weight : ioWeight(weight), field);
  if (blockIO.leafWeight) unknown('blockIO.leafWeight');
  return [
    ...ask(file, blockIO.weight, 'blockIO.weight', weightOf),
    ...(blockIO.weightDevice ?? []).flatMap(({ major, minor, weight, leafWeight }, i) => {
      const field = `blockIO.weightDevice[${i}]`;
      if (leafWeight) unknown(`${field}.leafWeight`);
      return ask(file, weight, `${field}.weight`, (value) =>
        deviceLine(major, minor, weightOf(value, field), field),
      );
    }),
  ];
}

function throttle(key: string, devices: readonly Throttle[] = [], name: string): Write[] {
  return devices.map(({ major, minor, rate }, i) => {
    const field = `blockIO.${name}[${i}]`;
    // 0 takes the limit away, as under v1.
    const limit = rate === 0 ? 'max' : whole(rate, field);
    return {
      file: 'io.max',
      data: deviceLine(major, minor, `${key}=${limit}`, field),
      field: `linux.resources.${field}`,
    };
  });
}
