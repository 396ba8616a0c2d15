import { expect, test } from 'vitest';
import type { NetworkFacts } from '../../../src/facts/facts.ts';
import { addressBytes } from '../../../src/steps/net/addresses.ts';
import { freeAddress, hostEnd, network } from '../../../src/steps/net/bridge.ts';
import { newVeth } from '../../../src/steps/net/links.ts';
import { parsePublish, taken } from '../../../src/steps/net/publish.ts';

const facts = (more: Partial<NetworkFacts> = {}): NetworkFacts => ({
  links: ['lo'],
  routes: [],
  mtu: 1500,
  listening: [],
  forwarding: true,
  resolv: '',
  devices: {},
  ...more,
});

test.each([
  ['8080:80', { protocol: 'tcp', hostPort: 8080, containerPort: 80 }],
  ['127.0.0.1:53:53/udp', { protocol: 'udp', ip: '127.0.0.1', hostPort: 53, containerPort: 53 }],
  ['0.0.0.0:1:65535', { protocol: 'tcp', hostPort: 1, containerPort: 65535 }],
])('%s', (text, port) => expect(parsePublish(text, '-p')).toEqual(port));

test.each([
  '80',
  '0:80',
  '80:65536',
  'a:b',
  '1:2:3:4',
  '1.2.3:80:80',
  '80:80/sctp',
  '80:80/tcp/udp',
  '',
  '80:; drop',
])('%j is refused, and the notation shown', (text) =>
  expect(() => parsePublish(text, '-p')).toThrow(/^-p .*it takes/),
);

test('a port is taken by who listens on it, on any address or the same', () => {
  const listening = [{ protocol: 'tcp', address: '127.0.0.1', port: 80 }] as const;
  expect(taken(parsePublish('80:80', '-p'), listening)).toBe(true);
  expect(taken(parsePublish('127.0.0.1:80:80', '-p'), listening)).toBe(true);
  expect(taken(parsePublish('192.0.2.1:80:80', '-p'), listening)).toBe(false);
  expect(taken(parsePublish('80:80/udp', '-p'), listening)).toBe(false);
});

test('the network is one that the host has no route into, or that of the bridge that is there', () => {
  const route = (link: string, destination: string, prefix: number) => ({ link, destination, prefix });
  expect(network(facts({ routes: [route('eth0', '0.0.0.0', 0)] }))).toBe('10.77.0.0');
  expect(network(facts({ routes: [route('vpn', '10.77.3.0', 24)] }))).toBe('10.78.0.0');
  expect(network(facts({ routes: [route('vpn', '10.0.0.0', 8)] }))).toBe('172.27.0.0');
  expect(network(facts({ routes: [route('vpn', '10.77.3.0', 24), route('tslab0', '10.77.0.0', 16)] }))).toBe(
    '10.77.0.0',
  );
  const everywhere = [route('vpn', '10.0.0.0', 8), route('vpn', '172.16.0.0', 12)];
  expect(() => network(facts({ routes: everywhere }))).toThrow(/10\.77\.0\.0.*ip route/);
});

test('an address is free when no link is named after it', () => {
  expect(freeAddress(facts())).toBe('10.77.0.2');
  expect(freeAddress(facts({ links: [hostEnd('10.77.0.2'), hostEnd('10.77.0.3')] }))).toBe('10.77.0.4');
  // Round the end: the last is 10.77.255.254, as .255 is the broadcast address.
  expect(freeAddress(facts(), 2 ** 16 - 4)).toBe('10.77.255.254');
  expect(freeAddress(facts(), 2 ** 16 - 3)).toBe('10.77.0.2');
  expect(hostEnd('255.255.255.255').length).toBeLessThan(16);
});

test('addresses as bytes', () => {
  expect([...addressBytes('192.0.2.255')]).toEqual([192, 0, 2, 255]);
  expect(addressBytes('2001:db8::1').toString('hex')).toBe('20010db8000000000000000000000001');
  expect(addressBytes('::').toString('hex')).toBe('0'.repeat(32));
});

test('the pid’s place in a message about a cable is its last four bytes, in an IFLA_NET_NS_PID', () => {
  const { messages, pidAt } = newVeth({ name: 'a', mtu: 1500 }, { name: 'b', mtu: 1500 });
  expect(messages.readUInt32LE(0)).toBe(messages.length);
  expect([messages.readUInt16LE(pidAt - 4), messages.readUInt16LE(pidAt - 2)]).toEqual([8, 19]);
});
