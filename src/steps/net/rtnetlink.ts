/** rtnetlink(7) requests as bytes. The launcher sends them and reads the kernel's answer. */

export const NETLINK_ROUTE = 0;

const RTM_NEWLINK = 16;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const IFF_UP = 1;

/** Asks for the link with this index to be set up. */
export function linkUp(index: number): Buffer {
  // struct ifinfomsg: u8 family, u8 pad, u16 type, i32 index, u32 flags, u32 mask of the flags to change
  const info = Buffer.alloc(16);
  info.writeInt32LE(index, 4);
  info.writeUInt32LE(IFF_UP, 8);
  info.writeUInt32LE(IFF_UP, 12);
  return request(RTM_NEWLINK, info);
}

/** struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port (netlink(7)). */
function request(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(head.length + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
  head.writeUInt32LE(1, 8);
  return Buffer.concat([head, body]);
}
