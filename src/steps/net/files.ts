/** /etc/resolv.conf, /etc/hosts and /etc/hostname of a container with a network: small files that no image can know. */
import type { NetworkFacts } from '../../facts/facts.ts';
import { INIT_LAYER_ANNOTATION } from '../../oci/annotations.ts';
import { namespace, type Spec } from '../../oci/spec.ts';
import type { Draft } from '../stage.ts';
import { NETWORK_ANNOTATION } from './spec.ts';

/** A directory that every host has. */
const SCRATCH = '/tmp';

/**
 * They are written into a file system in memory that only the container's mount tree ever sees, bound over the rootfs's
 * own files, and its tree is taken away again: nothing is left in the rootfs, or on the host to be undone.
 *
 * @param address undefined when the container has no address of its own.
 */
export function networkFiles(spec: Spec, host: NetworkFacts, address: string | undefined): Draft[] {
  // Without a mount tree of its own it has a rootfs that others may look into, or the host's very /etc.
  if (!namespace(spec, 'mount')) return [];
  const field = `annotations[${NETWORK_ANNOTATION}]`;
  const common = { at: 'child', phase: 'mounts', field } as const;
  const files = contents(spec, host, address);
  return [
    { ...common, kind: 'mount', source: 'tmpfs', target: SCRATCH, fstype: 'tmpfs', data: 'mode=755,size=1m' },
    ...files.flatMap(({ name, data }): Draft[] => [
      { ...common, kind: 'write', path: `${SCRATCH}/${name}`, data, flags: ['O_CREAT'] },
      { ...common, kind: 'open_tree', path: `${SCRATCH}/${name}`, as: 'tree' },
      {
        ...common,
        kind: 'mountpoint',
        dir: 'root',
        path: `/etc/${name}`,
        like: 'tree',
        tolerate: ['EROFS'],
      },
      { ...common, kind: 'move_mount', fd: 'tree', dir: 'root', target: `/etc/${name}` },
    ]),
    { ...common, kind: 'umount', target: SCRATCH, flags: ['MNT_DETACH'] },
  ];
}

/**
 * The same for a root of layers: one of them is the container's own, lies on the host's disk and goes with the container's
 * folder. So they are files like others, which can be edited, removed, or renamed.
 *
 * @param host undefined without a network.
 */
export function initLayerFiles(
  spec: Spec,
  layer: string,
  host: NetworkFacts | undefined,
  address?: string,
): Draft[] {
  const field = `annotations[${INIT_LAYER_ANNOTATION}]`;
  const common = { at: 'host', phase: 'prepare', field } as const;
  return contents(spec, host, address).map(
    ({ name, data }): Draft => ({
      ...common,
      kind: 'write',
      path: `${layer}/etc/${name}`,
      data,
      flags: ['O_CREAT', 'O_TRUNC'],
    }),
  );
}

function contents(spec: Spec, host: NetworkFacts | undefined, address: string | undefined) {
  const name = spec.hostname;
  const all = host?.resolv ?? '';
  // A resolver on the host's loopback is nowhere on the container's.
  const resolv = namespace(spec, 'network') ? withoutLoopback(all) : all;
  return [
    { name: 'resolv.conf', data: resolv },
    { name: 'hosts', data: hosts(name, address) },
    ...(name === undefined ? [] : [{ name: 'hostname', data: `${name}\n` }]),
  ];
}

function hosts(name: string | undefined, address = '127.0.1.1'): string {
  const own = name === undefined ? '' : `${address}\t${name}\n`;
  return `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${own}`;
}

/** Those that were left out are replaced by nobody: a public resolver would learn the names that are asked for. */
function withoutLoopback(resolv: string): string {
  return resolv
    .split('\n')
    .filter((line) => !/^\s*nameserver\s+(127\.|::1\s*$)/.test(line))
    .join('\n');
}
