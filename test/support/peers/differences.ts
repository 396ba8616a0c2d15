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
    what: 'the order of masked and read-only paths',
    facts: /^mounts, in order$/,
    peers: ['runc'],
    reason: 'runc makes the read-only ones first; none of them covers another',
  },
  {
    what: 'the order of v1 controllers',
    facts: /^mounts, in order$/,
    peers: ['crun'],
    on: 'v1',
    reason: 'none of them covers another',
  },
  {
    what: 'what holds the v1 controllers',
    facts: /^mount \/sys\/fs\/cgroup (from|options|superblock)$/,
    peers: ['crun', 'runc'],
    on: 'v1',
    reason: 'a tmpfs with all three; read-only with tslab, as the config says',
  },
  {
    what: 'the v2 tree beside v1 controllers, seen from inside',
    facts: /^mount \/sys\/fs\/cgroup\/unified /,
    peers: ['crun', 'runc'],
    on: 'hybrid',
    reason: 'tslab mounts it with the others',
  },
  {
    what: 'the v2 tree without a cgroup namespace',
    facts: /^mount \/sys\/fs\/cgroup (from|superblock)$/,
    peers: ['crun', 'runc'],
    on: 'v2',
    reason: "crun and runc mount the host's whole tree; tslab shows the container its own directory",
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

export const pending: readonly Pending[] = [];

/** As the README shows them. */
export const table = (): string =>
  ['| what | differs from | why |', '|---|---|---|']
    .concat(accepted.map(({ what, peers, reason }) => `| ${what} | ${peers.join(', ')} | ${reason} |`))
    .join('\n');
