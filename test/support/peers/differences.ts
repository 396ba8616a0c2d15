/**
 * Where a container of tslab differs from one of crun or runc that was made of the same config. `accepted` stays, with its
 * reason, and stands in the README; `pending` is to be mended. Both have to be real: a line that no longer differs fails.
 */
import type { Spec } from '../../../src/oci/spec.ts';
import type { hosts, Peer } from './runtimes.ts';

export interface Difference {
  what: string;
  /** Names of facts, as seen.ts makes them. */
  facts: RegExp;
  peers: readonly Peer[];
  reason: string;
  /** Only on such hosts. */
  on?: keyof typeof hosts;
}

export interface Pending extends Difference {
  /** Takes out of the config what tslab refuses so far. */
  without?: (spec: Spec) => void;
}

export const accepted: readonly Difference[] = [
  {
    what: 'standard input, output and error',
    facts: /^fd\[[012]\]$/,
    peers: ['runc'],
    reason: 'runc copies through pipes of its own; tslab and crun hand on what they were given',
  },
  {
    what: 'the signal at the death of the parent',
    facts: /^pdeathsig$/,
    peers: ['crun', 'runc'],
    reason: 'a container of tslab ends with its launcher, whatever ends that one',
  },
  {
    what: 'the superblock of a read-only /sys',
    facts: /^mount \/sys superblock$/,
    peers: ['crun'],
    reason: 'crun makes only the mount read-only; tslab and runc the new file system as well',
  },
  {
    what: 'what covers a masked path',
    facts:
      /^mount \/(proc\/(acpi|kcore|keys|scsi|timer_list)|sys\/(firmware|dev\/block|fs\/selinux)) (from|options|superblock)$/,
    peers: ['crun', 'runc'],
    reason:
      'an empty read-only directory, or the null device: of whose /dev and with which options is of no use to anyone',
  },
  {
    what: 'options of read-only paths',
    facts: /^mount \/proc\/(bus|fs|irq|sys|sysrq-trigger) options$/,
    peers: ['crun'],
    reason: 'crun lets nosuid, nodev and noexec of /proc go; tslab and runc keep them',
  },
  {
    what: 'the order of mounts',
    facts: /^mounts, in order$/,
    peers: ['crun', 'runc'],
    reason:
      'masked before read-only paths or after, controllers in another order: none of them covers another',
  },
  {
    what: '/dev/core without a /proc/kcore',
    facts: /^dev\.core$/,
    peers: ['runc'],
    on: 'noKcore',
    reason: 'runc links it only where the file is; tslab and crun always',
  },
  {
    what: 'name and permissions of the session keyring',
    facts: /^keyring$/,
    peers: ['crun', 'runc'],
    reason:
      'new and empty with all three; crun and runc name it after the container, so that others can join it by name',
  },
  {
    what: 'the v2 tree beside v1 controllers',
    facts: /^cgroup (of|seen) v2$/,
    peers: ['crun'],
    on: 'hybrid',
    reason: 'crun refuses such a host, so it was compared with the v2 tree hidden from it',
  },
];

export const pending: readonly Pending[] = [
  {
    what: 'limits of a cgroup',
    facts: /^pids\.max$/,
    peers: ['crun', 'runc'],
    reason: 'no stage writes linux.resources',
    without: ({ linux }) => delete linux?.resources,
  },
  {
    what: 'a mount of type cgroup',
    facts: /^mount \/sys\/fs\/cgroup/,
    peers: ['crun', 'runc'],
    reason:
      'its type is handed to mount(2) as it is; the container has to see its own directory of each hierarchy',
    without: (spec) => {
      spec.mounts = spec.mounts?.filter(({ type }) => type !== 'cgroup') ?? [];
    },
  },
  {
    what: 'the cpuset controller',
    facts: /^cgroup (of|seen) cpuset$/,
    peers: ['crun', 'runc'],
    on: 'v1',
    reason: 'its new directories need CPUs before anybody can join',
  },
];

/** As the README shows them. */
export const table = (): string =>
  ['| what | differs from | why |', '|---|---|---|']
    .concat(accepted.map(({ what, peers, reason }) => `| ${what} | ${peers.join(', ')} | ${reason} |`))
    .join('\n');
