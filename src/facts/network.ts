/** Reads what the net stage has to know: links, routes, sockets and resolvers of this network namespace. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Spec } from '../oci/spec.ts';
import type { Facts, Listener, NetDevice, NetworkFacts } from './facts.ts';
import { programPath } from './programs.ts';

/** Nothing for a config without a network of its own to fill: a plain start doesn't pay for it. All of it without a config. */
export function networkFor(spec: Spec | undefined): Pick<Facts, 'network'> {
  const asked = spec?.annotations?.['org.tslab.network'];
  const devices = Object.keys(spec?.linux?.netDevices ?? {});
  if (spec && (asked === undefined || asked === 'none') && devices.length === 0) return {};
  const routes = readRoutes();
  const [nft, ip] = [programPath('nft'), programPath('ip')];
  return {
    network: {
      // Not /sys/class/net: that shows the namespace that sysfs was mounted in.
      links: lines('/proc/self/net/dev')
        .slice(2)
        .map((line) => line.split(':')[0]?.trim() ?? ''),
      routes,
      mtu: mtuOf(routes.find(({ prefix }) => prefix === 0)?.link),
      listening: (['tcp', 'udp'] as const).flatMap((protocol) => [
        ...listeners(protocol, ''),
        ...listeners(protocol, '6'),
      ]),
      forwarding: read('/proc/sys/net/ipv4/ip_forward').trim() === '1',
      resolv: resolvers(),
      ...(nft === undefined ? {} : { nft, ...lackOf(nft, routes) }),
      ...(ip === undefined ? {} : { ip }),
      devices: Object.fromEntries(devices.flatMap((name) => deviceOf(name))),
    },
  };
}

/** What a bridge's rules are made of (steps/net/nft.ts), and the option of the kernel that each needs. */
const parts: readonly (readonly [string, string])[] = [
  ['add table ip tslab', 'CONFIG_NF_TABLES_IPV4'],
  ['add chain ip tslab probe { type nat hook postrouting priority srcnat; }', 'CONFIG_NFT_NAT'],
  ['add rule ip tslab probe fib daddr type local accept', 'CONFIG_NFT_FIB_IPV4'],
  ['add rule ip tslab probe masquerade', 'CONFIG_NFT_MASQ'],
];

/** `nft --check` asks the kernel and changes nothing. Whoever isn't root may not ask, and a bridge that is there is the answer. */
function lackOf(nft: string, routes: NetworkFacts['routes']): Pick<NetworkFacts, 'nftLack'> {
  if (process.geteuid?.() !== 0 || routes.some(({ link }) => link === 'tslab0')) return {};
  const input = parts.map(([rule]) => `${rule}\n`).join('');
  const asked = spawnSync(nft, ['--check', '--file', '-'], { input, encoding: 'utf8', env: { LC_ALL: 'C' } });
  if (asked.status === 0) return {};
  // What comes after the first error only follows from it.
  const [, line = '', said = asked.stderr.trim()] = /^\S+?:(\d+):\S+ Error: (.*)/m.exec(asked.stderr) ?? [];
  const [, option] = parts[Number(line) - 1] ?? [];
  return { nftLack: option === undefined ? `nft: ${said}` : `${option} (nft: ${said})` };
}

/** proc_pid_net(5): destination, gateway and mask in hexadecimal, in the machine's byte order. */
function readRoutes(): NetworkFacts['routes'] {
  return lines('/proc/self/net/route')
    .slice(1)
    .map((line) => {
      const [link = '', destination = '', , , , , , mask = ''] = line.split('\t');
      const bits = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length;
      return { link, destination: littleEndian(destination), prefix: bits };
    });
}

function littleEndian(hex: string): string {
  return Buffer.from(hex, 'hex').reverse().join('.');
}

function mtuOf(link: string | undefined): number {
  const mtu = link === undefined ? Number.NaN : Number(read(`/sys/class/net/${link}/mtu`));
  return mtu > 0 ? Math.min(mtu, 1500) : 1500;
}

/** State 0A is listening; a UDP socket that is bound and not connected is 07. */
function listeners(protocol: 'tcp' | 'udp', version: '' | '6'): Listener[] {
  return lines(`/proc/self/net/${protocol}${version}`)
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === (protocol === 'tcp' ? '0A' : '07'))
    .map(([, local = '']) => {
      const [address = '', port = ''] = local.split(':');
      return {
        protocol,
        address: version === '' ? littleEndian(address) : /^0+$/.test(address) ? '::' : 'IPv6',
        port: Number.parseInt(port, 16),
      };
    });
}

/** A container can't reach a resolver at 127.0.0.53; systemd-resolved writes down where it asks itself. */
function resolvers(): string {
  const own = read('/etc/resolv.conf');
  return /^nameserver\s+127\.0\.0\.53/m.test(own) ? read('/run/systemd/resolve/resolv.conf') || own : own;
}

/** @returns nothing when there is no such link: the stage says so. */
function deviceOf(name: string): [string, NetDevice][] {
  const { stdout } = spawnSync(programPath('ip') ?? 'ip', ['-json', 'address', 'show', 'dev', name], {
    encoding: 'utf8',
  });
  const [found] = stdout ? (JSON.parse(stdout) as IpAddress[]) : [];
  if (!found) return [];
  const addresses = found.addr_info
    .filter(({ scope, dynamic }) => scope === 'global' && !dynamic)
    .map(({ local, prefixlen }) => ({ address: local, prefix: prefixlen }));
  return [[name, { index: found.ifindex, addresses }]];
}

/** As far as we read it: ip-address(8) with -json. */
interface IpAddress {
  ifindex: number;
  addr_info: { local: string; prefixlen: number; scope: string; dynamic?: boolean }[];
}

function lines(path: string): string[] {
  return read(path)
    .split('\n')
    .filter((line) => line !== '');
}

/** A file that isn't there says nothing: IPv6 can be switched off, a host can be without resolvers. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
