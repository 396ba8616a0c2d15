/** Plugs a container into the bridge: bridge, cable, addresses, route, translation of addresses. */
import type { Facts, NetworkFacts } from '../../facts/facts.ts';
import type { Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import type { Call } from '../../plan/step.ts';
import type { Draft } from '../stage.ts';
import { addAddress, addDefaultRoute } from './addresses.ts';
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
import { deleteLink, linkInto, linkUp, newBridge, newVeth } from './links.ts';
import { publish, removeTable, table, unpublish } from './nft.ts';
import { type Published, taken } from './publish.ts';
import { NETLINK_ROUTE } from './rtnetlink.ts';
import { ADDRESS_ANNOTATION, NETWORK_ANNOTATION, networkWish, PUBLISH_ANNOTATION } from './spec.ts';

const field = `annotations[${NETWORK_ANNOTATION}]`;
/** The directory that all who use the bridge lock; it is there for the ledgers anyway. */
const LOCK = '/run/tslab';
/** There as long as it was us who switched forwarding on. */
const FORWARDING = '/run/tslab/ip_forward';

/** @throws PlanError for an ordinary user, a host without nft or a kernel that takes no such rules, or a port that the host itself listens on. */
export function attach(spec: Spec, facts: Facts): Draft[] {
  const host = hostOf(facts);
  const { publish: ports } = networkWish(spec);
  const busy = ports.find((port) => taken(port, host.listening));
  if (busy)
    throw new PlanError(
      `annotations[${PUBLISH_ANNOTATION}]: a program of this host listens on port ${busy.hostPort} already; see: ss -lnp`,
    );
  const address = addressOf(spec, host);
  return [
    ...bridge(host),
    ...cable(address, host),
    ...translation(host, ports, address),
    ...inside(address, host),
  ];
}

function hostOf({ uid, kernel, network }: Facts): NetworkFacts & { nft: string } {
  if (uid !== 0)
    throw new PlanError(
      `${field}: bridge needs root, since the other end of the cable is in the host's network; use --network none or host`,
    );
  if (network?.nft === undefined)
    throw new PlanError(`${field}: bridge needs the nft program. Type: sudo apt-get install nftables`);
  // Before anything is made: a kernel that takes no rules would not take their undo either.
  if (network.nftLack !== undefined)
    throw new PlanError(
      `${field}: bridge needs what kernel ${kernel} lacks: ${network.nftLack}; use --network none or host, or a distribution's standard kernel`,
    );
  return { ...network, nft: network.nft };
}

export const addressOf = (spec: Spec, host: NetworkFacts): string =>
  spec.annotations?.[ADDRESS_ANNOTATION] ?? freeAddress(host);

/** Made if it is absent, and taken back by the last container on it. */
function bridge(host: NetworkFacts & { nft: string }): Draft[] {
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
 * The name is the claim to the address, so the first step has no undo: if the name was another's, its cable must stay.
 * Should we die between the two, the cable goes with the child's namespace.
 */
function cable(address: string, { mtu }: NetworkFacts): Draft[] {
  const name = hostEnd(address);
  const eth0 = { name: 'eth0', index: ETH0_INDEX, mtu, mac: mac(address) };
  const { messages, pidAt } = newVeth({ name, mtu, index: hostEndIndex(address) }, eth0);
  const claim = `annotations[${ADDRESS_ANNOTATION}]`;
  return [
    { ...netlink('host', messages, claim), pidAt },
    { ...netlink('host', linkInto(name, BRIDGE_INDEX), field), undo: rtnetlink(deleteLink(name)) },
  ];
}

function translation(
  host: NetworkFacts & { nft: string },
  ports: readonly Published[],
  address: string,
): Draft[] {
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

function inside(address: string, host: NetworkFacts): Draft[] {
  return [
    netlink(
      'child',
      addAddress(ETH0_INDEX, { address, prefix: PREFIX }),
      `annotations[${ADDRESS_ANNOTATION}]`,
    ),
    netlink('child', linkUp(ETH0_INDEX), field),
    netlink('child', addDefaultRoute(gateway(network(host))), field),
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
