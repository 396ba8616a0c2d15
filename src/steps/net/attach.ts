/** The host's side of a container on the bridge: what it is plugged into, translation of addresses, and what is taken back. */
import type { Facts, NetworkFacts } from '../../facts/facts.ts';
import type { Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import type { Call } from '../../plan/step.ts';
import type { Draft } from '../stage.ts';
import { addAddress } from './addresses.ts';
import {
  BRIDGE,
  BRIDGE_INDEX,
  ETH0_INDEX,
  freeAddress,
  gateway,
  hostEnd,
  hostEndIndex,
  mac,
  network,
  PREFIX,
} from './bridge.ts';
import { deleteLink, linkUp, type NewLink, newBridge } from './links.ts';
import { publish, removeTable, table, unpublish } from './nft.ts';
import { type Published, taken } from './publish.ts';
import { NETLINK_ROUTE } from './rtnetlink.ts';
import { ADDRESS_ANNOTATION, NETWORK_ANNOTATION, networkWish, PUBLISH_ANNOTATION } from './spec.ts';

const field = `annotations[${NETWORK_ANNOTATION}]`;
/** The directory that all who use the bridge lock; it is there for the ledgers anyway. */
const LOCK = '/run/tslab';
/** There as long as it was us who switched forwarding on. */
const FORWARDING = '/run/tslab/ip_forward';

/** Where a container is plugged in, and with what. */
export interface Plug {
  /** IPv4, and how many of its bits are the network's. */
  readonly address: string;
  readonly prefix: number;
  /** The bridge's own address: the way to everywhere else. */
  readonly gateway: string;
  /** The bridge, by its index. */
  readonly bridge: number;
  /** The cable's two ends: the host's, and the container's. */
  readonly hostEnd: NewLink;
  readonly eth0: NewLink & { readonly index: number };
}

/**
 * Decides them for a config that asks for the bridge.
 *
 * @returns undefined if it doesn't. @throws PlanError for an ordinary user, or a host without nft or with a kernel that takes no such rules.
 */
export function plugOf(spec: Spec, facts: Facts): Plug | undefined {
  if (networkWish(spec).mode !== 'bridge') return undefined;
  const host = hostOf(facts);
  const [address, { mtu }] = [addressOf(spec, host), host];
  return {
    address,
    prefix: PREFIX,
    gateway: gateway(network(host)),
    bridge: BRIDGE_INDEX,
    hostEnd: { name: hostEnd(address), mtu, index: hostEndIndex(address) },
    eth0: { name: 'eth0', index: ETH0_INDEX, mtu, mac: mac(address) },
  };
}

type Host = NetworkFacts & { nft: string };

function hostOf({ uid, kernel, network }: Facts): Host {
  if (uid !== 0)
    throw new PlanError(
      `${field}: bridge needs root, since the other end of the cable is in the host's network; use --network none or host`,
    );
  if (network?.plugOnly) return { nft: '', ...network };
  if (network?.nft === undefined)
    throw new PlanError(`${field}: bridge needs the nft program. Type: sudo apt-get install nftables`);
  // Before anything is made: a kernel that takes no rules would not take their undo either.
  if (network.nftLack !== undefined)
    throw new PlanError(
      `${field}: bridge needs what kernel ${kernel} lacks: ${network.nftLack}; use --network none or host, or a distribution's standard kernel`,
    );
  return { ...network, nft: network.nft };
}

const addressOf = (spec: Spec, host: NetworkFacts): string =>
  spec.annotations?.[ADDRESS_ANNOTATION] ?? freeAddress(host);

/** Made if it is absent, and taken back by the last container on it. */
export function sharedBridge(facts: Facts): Draft[] {
  const host = hostOf(facts);
  if (host.plugOnly) return [];
  const own = { address: gateway(network(host)), prefix: PREFIX };
  const share = { at: 'host', phase: 'network', kind: 'share', path: LOCK, field } as const;
  const onLink = (messages: Buffer) => netlink('host', messages, field);
  return [
    { at: 'host', phase: 'network', kind: 'mkdir', path: LOCK, mode: 0o700, tolerate: ['EEXIST'], field },
    { ...share, undo: { ...rtnetlink(deleteLink(BRIDGE)), alone: LOCK } },
    { ...share, undo: { ...nft(host.nft, removeTable), alone: LOCK } },
    {
      ...share,
      undo: { ...shell(`if rm ${FORWARDING} 2>/dev/null; then echo 0 >${IP_FORWARD}; fi`), alone: LOCK },
    },
    {
      ...onLink(newBridge({ name: BRIDGE, index: BRIDGE_INDEX, mtu: host.mtu, mac: mac(own.address) })),
      tolerate: ['EEXIST'],
    },
    { ...onLink(addAddress(BRIDGE_INDEX, own)), tolerate: ['EEXIST'] },
    onLink(linkUp(BRIDGE_INDEX)),
    // Else a packet from 127.0.0.1 could not leave by this link: see the table's rules. The setting goes with the bridge.
    {
      at: 'host',
      phase: 'network',
      kind: 'write',
      path: `/proc/sys/net/ipv4/conf/${BRIDGE}/route_localnet`,
      data: '1',
      field,
    },
    // A host is no router until it is told. Decided now, not while planning: the last container may just have switched it off.
    {
      at: 'host',
      phase: 'network',
      ...shell(`if [ "$(cat ${IP_FORWARD})" = 0 ]; then : >${FORWARDING} && echo 1 >${IP_FORWARD}; fi`),
      field,
    },
  ];
}

const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward';

/**
 * What else the host does for a container on its bridge, and takes back at its end: at once, as the next one may get the
 * same address, while the kernel takes its time over a namespace and the cables in it.
 *
 * @throws PlanError for a port that the host itself listens on.
 */
export function sharedRules(spec: Spec, facts: Facts, plug: Plug): Draft[] {
  const host = hostOf(facts);
  if (host.plugOnly) return [];
  const { publish: ports } = networkWish(spec);
  const busy = ports.find((port) => taken(port, host.listening));
  if (busy)
    throw new PlanError(
      `annotations[${PUBLISH_ANNOTATION}]: a program of this host listens on port ${busy.hostPort} already; see: ss -lnp`,
    );
  const common = { at: 'host', phase: 'network' } as const;
  return [
    { ...common, kind: 'share', path: LOCK, field, undo: rtnetlink(deleteLink(plug.hostEnd.name)) },
    ...translation(host, ports, plug.address),
    // ping(8) without CAP_NET_RAW, for every group that the container has (icmp(7), ping_group_range).
    {
      at: 'child',
      phase: 'network',
      kind: 'write',
      path: '/proc/sys/net/ipv4/ping_group_range',
      data: '0 2147483647',
      tolerate: ['EINVAL', 'EACCES'],
      field,
    },
  ];
}

function translation(host: Host, ports: readonly Published[], address: string): Draft[] {
  const common = { at: 'host', phase: 'network' } as const;
  const net = network(host);
  if (ports.length === 0) return [{ ...common, ...nft(host.nft, table(net)), field }];
  return [
    {
      ...common,
      ...nft(host.nft, table(net) + publish(ports, address)),
      undo: nft(host.nft, unpublish(net, ports, address)),
      field: `annotations[${PUBLISH_ANNOTATION}]`,
    },
  ];
}

const rtnetlink = (messages: Buffer): Call<'netlink'> => ({
  kind: 'netlink',
  protocol: NETLINK_ROUTE,
  messages: messages.toString('base64'),
});

export const netlink = (at: 'host' | 'child', messages: Buffer, field: string) =>
  ({ at, phase: 'network', ...rtnetlink(messages), field }) as const satisfies Draft;

const program = (path: string, argv: string[], input: string): Call<'spawn'> => ({
  kind: 'spawn',
  path,
  argv,
  envp: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C'],
  input,
  timeout: 20_000,
});
const nft = (path: string, script: string) => program(path, ['nft', '-f', '-'], script);
const shell = (script: string) => program('/bin/sh', ['sh', '-e'], `${script}\n`);
