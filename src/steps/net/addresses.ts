/** IPv4 and IPv6 addresses as text, numbers and bytes, and requests about them (rtnetlink(7), RTM_NEWADDR, RTM_NEWROUTE). */
import { attribute, request } from './rtnetlink.ts';

const family = { 4: 2 /* AF_INET */, 6: 10 /* AF_INET6 */ } as const;
const ifa = { address: 1, local: 2 } as const;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
/** Who made the route: an administrator, as far as the kernel is concerned. */
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;

/** An address and how many of its bits are the network's. */
export interface Cidr {
  address: string;
  prefix: number;
}

/** Gives the link an address; a route to its network comes with it. @param create an address that is there is EEXIST. */
export function addAddress(link: number, { address, prefix }: Cidr): Buffer {
  const bytes = addressBytes(address);
  // struct ifaddrmsg: u8 family, u8 prefix length, u8 flags, u8 scope (0: the whole world), u32 index
  const body = Buffer.alloc(8);
  body.writeUInt8(bytes.length === 4 ? family[4] : family[6], 0);
  body.writeUInt8(prefix, 1);
  body.writeUInt32LE(link, 4);
  return request('newAddress', 'create', body, [attribute(ifa.local, bytes), attribute(ifa.address, bytes)]);
}

/** Everything that no other route covers goes there. Which link leads there, the kernel sees for itself. */
export function addDefaultRoute(gateway: string): Buffer {
  // struct rtmsg: u8 family, u8 to-length, u8 from-length, u8 tos, u8 table, u8 protocol, u8 scope, u8 type, u32 flags
  const body = Buffer.from([family[4], 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, RTN_UNICAST, 0, 0, 0, 0]);
  return request('newRoute', 'create', body, [attribute(RTA_GATEWAY, addressBytes(gateway))]);
}

export function addressBytes(address: string): Buffer {
  return address.includes(':') ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const words = (part: string | undefined) =>
    part ? part.split(':').map((word) => Number.parseInt(word, 16)) : [];
  const [before, after] = [words(head), words(tail)];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const bytes = Buffer.alloc(16);
  for (const [i, word] of [...before, ...Array(zeros).fill(0), ...after].entries())
    bytes.writeUInt16BE(word, 2 * i);
  return bytes;
}

/** IPv4 as a number, for arithmetic. */
export const toNumber = (address: string): number => addressBytes(address).readUInt32BE();

export function fromNumber(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** @throws Error unless it is four numbers up to 255. */
export function parseIpv4(text: string, what: string): string {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    throw new Error(`${what} ${text}: it takes an IPv4 address such as 127.0.0.1`);
  return parts.map(Number).join('.');
}
