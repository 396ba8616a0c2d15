/** Resources as the files of cgroup v1 (Documentation/admin-guide/cgroup-v1). */
import type { BlockIO, Resources, Throttle } from '../../oci/spec.ts';
import { checkSwap } from './convert.ts';
import { v1DeviceLines } from './devices.ts';
import { hugepages, rdma } from './same.ts';
import {
  ask,
  deviceLine,
  kernelSince,
  list,
  refuse,
  type Write,
  type Writer,
  whole,
  wholeOrMax,
} from './write.ts';

export const v1: Writer = {
  cpuset: ({ cpu = {} }) => [
    ...list('cpuset.cpus', cpu.cpus, 'cpu.cpus'),
    ...list('cpuset.mems', cpu.mems, 'cpu.mems'),
  ],

  // A quota is checked against the period, a burst against the quota, so in this order.
  cpu: ({ cpu = {} }) => [
    ...ask('cpu.shares', cpu.shares, 'cpu.shares'),
    ...ask('cpu.cfs_period_us', cpu.period, 'cpu.period'),
    ...ask('cpu.cfs_quota_us', cpu.quota, 'cpu.quota'),
    ...ask('cpu.cfs_burst_us', cpu.burst, 'cpu.burst'),
    ...ask('cpu.rt_period_us', cpu.realtimePeriod, 'cpu.realtimePeriod'),
    ...ask('cpu.rt_runtime_us', cpu.realtimeRuntime, 'cpu.realtimeRuntime'),
    // Last: an idle cgroup has no shares to set.
    ...ask('cpu.idle', cpu.idle, 'cpu.idle'),
  ],

  memory: ({ memory = {} }, { kernel }) => {
    if (memory.swap !== undefined && memory.swap > 0) checkSwap(memory.swap, memory.limit);
    if (memory.kernel && kernelSince(kernel, 5, 16))
      refuse('memory.kernel', 'since Linux 5.16 it has no effect; kernel memory counts for memory.limit');
    return [
      // Memory and swap can't be limited to less than memory alone, so memory first.
      ...ask('memory.limit_in_bytes', memory.limit, 'memory.limit'),
      ...ask('memory.memsw.limit_in_bytes', memory.swap, 'memory.swap'),
      ...ask('memory.soft_limit_in_bytes', memory.reservation, 'memory.reservation'),
      ...ask('memory.kmem.limit_in_bytes', memory.kernel, 'memory.kernel'),
      ...ask('memory.kmem.tcp.limit_in_bytes', memory.kernelTCP, 'memory.kernelTCP'),
      ...swappiness(memory.swappiness),
      ...flag('memory.oom_control', memory.disableOOMKiller, 'memory.disableOOMKiller', '0'),
      ...flag('memory.use_hierarchy', memory.useHierarchy, 'memory.useHierarchy'),
    ];
  },

  pids: ({ pids = {} }) => ask('pids.max', pids.limit, 'pids.limit', wholeOrMax),

  blkio: ({ blockIO = {} }, { kernel, cgroup }) => [
    ...weights(blockIO, cgroup.bfq ? 'blkio.bfq' : 'blkio', kernel),
    ...throttle('read_bps', blockIO.throttleReadBpsDevice, 'throttleReadBpsDevice'),
    ...throttle('write_bps', blockIO.throttleWriteBpsDevice, 'throttleWriteBpsDevice'),
    ...throttle('read_iops', blockIO.throttleReadIOPSDevice, 'throttleReadIOPSDevice'),
    ...throttle('write_iops', blockIO.throttleWriteIOPSDevice, 'throttleWriteIOPSDevice'),
  ],

  hugetlb: (resources, { kernel }) => hugepages(resources, kernel, 'limit_in_bytes'),
  rdma,
  devices: ({ devices = [] }) => v1DeviceLines(devices),

  net_cls: ({ network = {} }) => ask('net_cls.classid', network.classID, 'network.classID'),

  net_prio: ({ network = {} }) =>
    (network.priorities ?? []).map(({ name, priority }, i) => {
      const field = `network.priorities[${i}]`;
      if (/[\s/]/.test(name)) refuse(field, `${JSON.stringify(name)} is no interface's name`);
      return {
        file: 'net_prio.ifpriomap',
        data: `${name} ${whole(priority, field)}`,
        field: `linux.resources.${field}`,
      };
    }),
};

/** 0 means something here: swap only to avoid running out of memory. */
function swappiness(value: number | undefined): Write[] {
  const field = 'memory.swappiness';
  if (value === undefined) return [];
  if (!(value >= 0 && value <= 100)) refuse(field, `is ${value}; it takes 0 to 100`);
  return [{ file: 'memory.swappiness', data: whole(value, field), field: `linux.resources.${field}` }];
}

/** @param usual what a new cgroup says anyway. */
function flag(file: string, value: boolean | undefined, field: string, usual?: string): Write[] {
  const data = value ? '1' : '0';
  if (value === undefined || data === usual) return [];
  return [{ file, data, field: `linux.resources.${field}` }];
}

function weights(blockIO: BlockIO, prefix: string, kernel: string): Write[] {
  const perDevice = blockIO.weightDevice ?? [];
  const leaf =
    blockIO.leafWeight === undefined || blockIO.leafWeight === 0
      ? perDevice.findIndex(({ leafWeight }) => leafWeight)
      : undefined;
  // Only the scheduler CFQ knew leaves; it left with Linux 5.0.
  if (leaf !== -1 && kernelSince(kernel, 5, 0))
    refuse(
      leaf === undefined ? 'blockIO.leafWeight' : `blockIO.weightDevice[${leaf}].leafWeight`,
      'no scheduler knows it since Linux 5.0; leave it out',
    );
  const each = (file: string, what: 'weight' | 'leafWeight') =>
    perDevice.flatMap((device, i) => {
      const field = `blockIO.weightDevice[${i}].${what}`;
      return ask(file, device[what], field, (weight) =>
        deviceLine(device.major, device.minor, whole(weight, field), field),
      );
    });
  return [
    ...ask(`${prefix}.weight`, blockIO.weight, 'blockIO.weight'),
    ...ask('blkio.leaf_weight', blockIO.leafWeight, 'blockIO.leafWeight'),
    ...each(`${prefix}.weight_device`, 'weight'),
    ...each('blkio.leaf_weight_device', 'leafWeight'),
  ];
}

function throttle(what: string, devices: readonly Throttle[] = [], name: keyof Resources | string): Write[] {
  return devices.map(({ major, minor, rate }, i) => {
    const field = `blockIO.${name}[${i}]`;
    return {
      file: `blkio.throttle.${what}_device`,
      data: deviceLine(major, minor, whole(rate, field), field),
      field: `linux.resources.${field}`,
    };
  });
}
