/** rtnetlink(7) requests as bytes: a header, a fixed struct, attributes. The launcher sends them and reads the kernel's answer. */

export const NETLINK_ROUTE = 0;

/** netlink(7): what a request wants of the object that it names. */
const flags = { request: 1, ack: 4, exclusive: 0x200, create: 0x400 } as const;

/** linux/rtnetlink.h. */
export const messageTypes = { newLink: 16, delLink: 17, newAddress: 20, newRoute: 24 } as const;

/** `create` fails with EEXIST if the object is there; without it, an existing one is changed. */
export function request(
  type: keyof typeof messageTypes,
  how: 'create' | 'change',
  body: Buffer,
  attributes: readonly Buffer[] = [],
): Buffer {
  const content = Buffer.concat([body, ...attributes]);
  // struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port (netlink(7))
  const head = Buffer.alloc(16);
  head.writeUInt32LE(head.length + content.length, 0);
  head.writeUInt16LE(messageTypes[type], 4);
  head.writeUInt16LE(flags.request | flags.ack | (how === 'create' ? flags.create | flags.exclusive : 0), 6);
  head.writeUInt32LE(1, 8);
  return Buffer.concat([head, content]);
}

/** struct rtattr: u16 length without padding, u16 type; the next one begins at a multiple of 4 (rtnetlink(3)). */
export function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

/** An attribute that holds attributes. */
export const nested = (type: number, inner: readonly Buffer[]): Buffer =>
  attribute(type, Buffer.concat(inner));

export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
