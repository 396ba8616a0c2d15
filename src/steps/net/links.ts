/** Requests about links: the devices of a network namespace (rtnetlink(7), RTM_NEWLINK; linux/if_link.h). */
import { attribute, nested, request, text, u32 } from './rtnetlink.ts';

/** The loopback device is the first link of every network namespace. */
export const LO = 1;

const IFF_UP = 1;
const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  netNsPid: 19,
  linkInfo: 18,
} as const;
const info = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const IFLA_BRPORT_MODE = 4;
const VETH_INFO_PEER = 1;

/** A link by its index, or by its name where the index isn't known yet. */
export type Link = number | string;

/** struct ifinfomsg: u8 family, u8 pad, u16 type, i32 index, u32 flags, u32 mask of the flags to change. */
function body(index: number, up: boolean): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  if (up) {
    bytes.writeUInt32LE(IFF_UP, 8);
    bytes.writeUInt32LE(IFF_UP, 12);
  }
  return bytes;
}

const index = (link: Link) => (typeof link === 'number' ? link : 0);
const name = (link: Link) => (typeof link === 'string' ? [attribute(ifla.name, text(link))] : []);

/** Asks for the link to be set up. */
export const linkUp = (link: Link): Buffer =>
  request('newLink', 'change', body(index(link), true), name(link));

/**
 * Plugs a link into a bridge, and sets it up. Where br_netfilter is loaded (Docker does so), a packet that was
 * translated back to its sender is bridged, not routed: only a port in hairpin mode gives it back.
 */
export const linkInto = (link: Link, bridge: number): Buffer =>
  Buffer.concat([
    request('newLink', 'change', body(index(link), true), [
      ...name(link),
      attribute(ifla.master, u32(bridge)),
    ]),
    request('newLink', 'change', body(index(link), false), [
      ...name(link),
      nested(ifla.linkInfo, [
        attribute(info.slaveKind, text('bridge')),
        nested(info.slaveData, [attribute(IFLA_BRPORT_MODE, Buffer.from([1]))]),
      ]),
    ]),
  ]);

export const deleteLink = (link: Link): Buffer =>
  request('delLink', 'change', body(index(link), false), name(link));

export interface NewLink {
  name: string;
  mtu: number;
  /** Chosen rather than found out: then later requests know it before the link is there. */
  index?: number;
  /** Six bytes. */
  mac?: Buffer;
}

const describe = ({ name, mtu, mac }: NewLink): Buffer[] => [
  attribute(ifla.name, text(name)),
  attribute(ifla.mtu, u32(mtu)),
  ...(mac ? [attribute(ifla.address, mac)] : []),
];

/** A switch in software. */
export const newBridge = (bridge: NewLink): Buffer =>
  request('newLink', 'create', body(bridge.index ?? 0, false), [
    ...describe(bridge),
    nested(ifla.linkInfo, [attribute(info.kind, text('bridge'))]),
  ]);

/**
 * A cable with two ends: `here` in the sender's namespace, `there` in that of a process whose pid belongs at `pidAt`.
 *
 * @returns pidAt the byte offset of the pid, at the end of the last attribute.
 */
export function newVeth(here: NewLink, there: NewLink): { messages: Buffer; pidAt: number } {
  const peer = [body(there.index ?? 0, false), ...describe(there), attribute(ifla.netNsPid, u32(0))];
  const messages = request('newLink', 'create', body(here.index ?? 0, false), [
    ...describe(here),
    nested(ifla.linkInfo, [
      attribute(info.kind, text('veth')),
      nested(info.data, [nested(VETH_INFO_PEER, peer)]),
    ]),
  ]);
  return { messages, pidAt: messages.length - 4 };
}

/** Moves a link into the namespace of the process whose pid belongs at `pidAt`, under a new name. Its index stays if it is free there. */
export function moveLink(link: number, newName: string): { messages: Buffer; pidAt: number } {
  const messages = request('newLink', 'change', body(link, false), [
    attribute(ifla.name, text(newName)),
    attribute(ifla.netNsPid, u32(0)),
  ]);
  return { messages, pidAt: messages.length - 4 };
}
