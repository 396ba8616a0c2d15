/**
 * nftables scripts (nft(8)): one table for all containers, one map element for each published port. A script is one
 * transaction, so two containers that start at once both see a whole table.
 */
import { BRIDGE, PREFIX } from './bridge.ts';
import type { Published } from './publish.ts';

const TABLE = 'ip tslab';

/** Safe to run again: what is there stays, and the rules, which are the same for everyone, are written anew. */
export function table(network: string): string {
  const inside = `${network}/${PREFIX}`;
  return `
add table ${TABLE}
add map ${TABLE} tcp_ports { type inet_service : ipv4_addr . inet_service; }
add map ${TABLE} udp_ports { type inet_service : ipv4_addr . inet_service; }
add map ${TABLE} tcp_at { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
add map ${TABLE} udp_at { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
add chain ${TABLE} published
add chain ${TABLE} arriving { type nat hook prerouting priority dstnat; }
add chain ${TABLE} own { type nat hook output priority -100; }
add chain ${TABLE} leaving { type nat hook postrouting priority srcnat; }
add chain ${TABLE} guard { type filter hook prerouting priority raw; }
flush chain ${TABLE} published
flush chain ${TABLE} arriving
flush chain ${TABLE} own
flush chain ${TABLE} leaving
flush chain ${TABLE} guard
add rule ${TABLE} published dnat ip to ip daddr . tcp dport map @tcp_at
add rule ${TABLE} published dnat ip to ip daddr . udp dport map @udp_at
add rule ${TABLE} published dnat ip to tcp dport map @tcp_ports
add rule ${TABLE} published dnat ip to udp dport map @udp_ports
# From the network, and from containers that ask for an address of the host.
add rule ${TABLE} arriving fib daddr type local jump published
# From the host itself, which never passes prerouting.
add rule ${TABLE} own fib daddr type local jump published
# The world knows the host's address, not the container's.
add rule ${TABLE} leaving ip saddr ${inside} oifname != "${BRIDGE}" masquerade
# A container can't answer 127.0.0.1, and one that asked for the host must get the answer from the host.
add rule ${TABLE} leaving ip saddr 127.0.0.0/8 oifname "${BRIDGE}" masquerade
add rule ${TABLE} leaving ip saddr ${inside} ip daddr ${inside} ct status dnat masquerade
# route_localnet, which publishing on 127.0.0.1 needs, must not let containers reach what listens there.
add rule ${TABLE} guard iifname "${BRIDGE}" ip daddr 127.0.0.0/8 drop
`;
}

/** Fails with "File exists" if the port leads somewhere else already. */
export function publish(ports: readonly Published[], address: string): string {
  return ports.map((port) => `add element ${element(port, address)}\n`).join('');
}

/** Added before it is deleted, so that a port which was never published is no error, and one that is another's is. */
export function unpublish(network: string, ports: readonly Published[], address: string): string {
  return `${table(network)}${publish(ports, address)}${ports
    .map((port) => `delete element ${element(port, address)}\n`)
    .join('')}`;
}

function element({ protocol, ip, hostPort, containerPort }: Published, address: string): string {
  const to = `${address} . ${containerPort}`;
  return ip === undefined
    ? `${TABLE} ${protocol}_ports { ${hostPort} : ${to} }`
    : `${TABLE} ${protocol}_at { ${ip} . ${hostPort} : ${to} }`;
}

/** Also when there is no table. */
export const removeTable = `add table ${TABLE}\ndelete table ${TABLE}\n`;
