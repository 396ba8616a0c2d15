/** Hosts to plan for: facts as probe.ts would find them. */
import type { Facts } from '../../../src/facts/facts.ts';

const common: Omit<Facts, 'cgroup'> = {
  kernel: '6.12.0',
  uid: 0,
  gid: 0,
  capabilities: ['CAP_SYS_ADMIN'],
  namespaces: ['cgroup', 'mount'],
  rootShared: false,
};
const top = '/sys/fs/cgroup';
const own = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, `${top}/${name}`]));

export const v1Host: Facts = {
  ...common,
  cgroup: {
    layout: 'v1',
    controllers: {
      ...own(['memory', 'pids', 'blkio', 'devices', 'freezer', 'hugetlb', 'rdma']),
      cpu: `${top}/cpu,cpuacct`,
      cpuacct: `${top}/cpu,cpuacct`,
      cpuset: `${top}/cpuset`,
      net_cls: `${top}/net_cls,net_prio`,
      net_prio: `${top}/net_cls,net_prio`,
      'name=systemd': `${top}/systemd`,
    },
    writable: true,
    base: '/',
    cpuset: { at: `${top}/cpuset`, cpus: '0-3', mems: '0' },
    bfq: true,
  },
};

export const v2Host: Facts = {
  ...common,
  cgroup: {
    layout: 'v2',
    unified: top,
    unifiedControllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma'],
    controllers: {},
    writable: true,
    base: '/',
    bpf: true,
    delegate: ['cgroup.procs', 'cgroup.subtree_control'],
  },
};

export const hybridHost: Facts = {
  ...common,
  cgroup: {
    layout: 'hybrid',
    unified: `${top}/unified`,
    unifiedControllers: ['hugetlb'],
    controllers: own(['memory', 'pids']),
    writable: true,
    base: '/',
  },
};
