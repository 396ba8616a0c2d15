/** The bridge that containers share, and which address a container gets: decided from facts, so that planning stays pure. */
import type { NetworkFacts } from '../../facts/facts.ts';
import { PlanError } from '../../plan/error.ts';
import { addressBytes, fromNumber, toNumber } from './addresses.ts';

export const BRIDGE = 'tslab0';
/** Chosen by us, so that requests that need it can be written before the bridge is there ("tsl" in ASCII). */
export const BRIDGE_INDEX = 0x74736c;
/** The container's end of its cable. Not 2: some kernels give a new namespace tunnels, which come right after lo. */
export const ETH0_INDEX = 1001;

/** The first of these /16 networks that the host has no route into. */
const networks = ['10.77.0.0', '10.78.0.0', '10.79.0.0', '172.27.0.0', '172.28.0.0'];
export const PREFIX = 16;
const SIZE = 2 ** (32 - PREFIX);

/** @throws PlanError if the host has routes into all of them. */
export function network(facts: NetworkFacts): string {
  // A bridge that is there already was given its network by an earlier container.
  const own = facts.routes.find((route) => route.link === BRIDGE);
  if (own) return own.destination;
  const free = networks.find(
    (candidate) => !facts.routes.some((route) => overlaps(toNumber(candidate), route)),
  );
  if (free === undefined)
    throw new PlanError(
      `network: the host has routes into all of ${networks.join(', ')}, so there is no room for ${BRIDGE}; see: ip route`,
    );
  return free;
}

function overlaps(
  candidate: number,
  { destination, prefix }: { destination: string; prefix: number },
): boolean {
  if (prefix === 0) return false;
  const shift = 32 - Math.min(prefix, PREFIX);
  return candidate >>> shift === toNumber(destination) >>> shift;
}

export const gateway = (network: string): string => fromNumber(toNumber(network) + 1);

/**
 * The host's end of the cable is named after the address. The kernel lets no two links of one name be, so whoever made
 * the link has the address, and when the link goes, so does the claim: there is no list that could be wrong.
 */
export const hostEnd = (address: string): string => `tsl${addressBytes(address).toString('hex')}`;

/** The kernel lets us choose the index of a cable's far end only if we choose the near end's as well. */
export const hostEndIndex = (address: string): number => 0x74000000 + (toNumber(address) % SIZE);

/** A locally administered address (IEEE 802: bit 1 of the first byte), the same for the same IP, so that neighbours' caches stay right. */
export const mac = (address: string): Buffer =>
  Buffer.concat([Buffer.from([0x02, 0x74]), addressBytes(address)]);

/** @param from where to begin to look, as a number of addresses after the gateway's. */
export function freeAddress(facts: NetworkFacts, from = 0): string {
  const base = toNumber(network(facts));
  const room = SIZE - 3; // not the network's own, the gateway's or the broadcast address
  for (let i = 0; i < room; i++) {
    const address = fromNumber(base + 2 + ((from + i) % room));
    if (!facts.links.includes(hostEnd(address))) return address;
  }
  throw new PlanError(`network: all addresses of ${BRIDGE} are taken`);
}
