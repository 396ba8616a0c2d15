/** Limits in systemd's words (systemd.resource-control(5)). */
import { expect, test } from 'vitest';
import type { Resources } from '../../../src/oci/spec.ts';
import { limitProperties, propertiesFor, requested } from '../../../src/steps/cgroup/properties.ts';
import { limits } from '../../../src/steps/cgroup/resources.ts';
import { v1Host, v2Host } from './hosts.ts';

const infinity = '18446744073709551615';
const words = (resources: Resources, host = v2Host) =>
  limitProperties(limits(resources, host)).map((property) => property.join(' '));

test.each<[Resources, string[]]>([
  [
    { memory: { limit: 4096, swap: 8192, reservation: 1024 } },
    ['MemoryMax t 4096', 'MemorySwapMax t 4096', 'MemoryLow t 1024'],
  ],
  [{ memory: { limit: -1 }, pids: { limit: -1 } }, [`MemoryMax t ${infinity}`, `TasksMax t ${infinity}`]],
  [{ cpu: { quota: 25_000, period: 50_000 } }, ['CPUQuotaPerSecUSec t 500000', 'CPUQuotaPeriodUSec t 50000']],
  [
    { cpu: { quota: 33_333, period: 100_000 } },
    ['CPUQuotaPerSecUSec t 340000', 'CPUQuotaPeriodUSec t 100000'],
  ],
  [{ cpu: { quota: -1 } }, [`CPUQuotaPerSecUSec t ${infinity}`, 'CPUQuotaPeriodUSec t 100000']],
  [{ cpu: { shares: 1024 } }, ['CPUWeight t 100']],
  [{ cpu: { idle: 1 } }, ['CPUWeight t 0']],
  [{ cpu: { cpus: '0-2,9', mems: '0' } }, ['AllowedCPUs ay 2 7 2', 'AllowedMemoryNodes ay 1 1']],
  [
    { unified: { 'memory.high': '5', 'pids.max': 'max', 'io.weight': 'default 7' } },
    ['MemoryHigh t 5', `TasksMax t ${infinity}`, 'IOWeight t 7'],
  ],
  [{ pids: { limit: 4 }, unified: { 'pids.max': '5', 'memory.oom.group': '1' } }, ['TasksMax t 5']],
])('v2: %j', (resources, expected) => expect(words(resources)).toEqual(expected));

test('no longer idle: the weight that is asked for, else the usual one', () => {
  const idle = { controller: 'cpu', version: 2, file: 'cpu.idle', data: '0', field: '' } as const;
  expect(limitProperties([idle])).toEqual([['CPUWeight', 't', '100']]);
  expect(limitProperties([{ ...idle, file: 'cpu.weight', data: '7' }, idle])).toEqual([
    ['CPUWeight', 't', '7'],
  ]);
});

test.each<[Resources, string[]]>([
  [{ memory: { limit: 4096 }, cpu: { shares: 5 } }, ['CPUShares t 5', 'MemoryLimit t 4096']],
  [{ cpu: { quota: 5000, period: 10_000 } }, ['CPUQuotaPerSecUSec t 500000', 'CPUQuotaPeriodUSec t 10000']],
  [{ cpu: { quota: 5000 } }, ['CPUQuotaPerSecUSec t 50000', 'CPUQuotaPeriodUSec t 100000']],
  [{ cpu: { cpus: '0' }, pids: { limit: 3 } }, ['TasksMax t 3']],
])('v1: %j', (resources, expected) => expect(words(resources, v1Host)).toEqual(expected));

test('no limit on tasks is none: systemd would have one of its own', () => {
  expect(propertiesFor([], {}, 'user')).toEqual([['TasksMax', 't', infinity]]);
  expect(propertiesFor(limits({ pids: { limit: 3 } }, v2Host), {}, 'user')).toEqual([['TasksMax', 't', '3']]);
});

const none = { allow: false, access: 'rwm' };
const device = { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' } as const;
const devices = (resources: Resources, manager: 'system' | 'user' = 'system') =>
  Object.fromEntries(
    propertiesFor([], resources, manager).map(([name, , ...values]) => [name, values.join(' ')]),
  );

test('devices: a list of what is allowed', () => {
  const { DevicePolicy, DeviceAllow } = devices({
    devices: [none, device, { allow: true, type: 'b', major: 8, access: 'r' }],
  });
  expect(DevicePolicy).toBe('strict');
  expect(DeviceAllow).toMatch(/^\d+ \/dev\/char\/10:200 rw block-8 r char-\* m .*\/dev\/char\/1:3 rwm/);
});

test.each([
  ['all is allowed', [device]],
  ['systemd has no word for one', [none, { ...device, major: -1, minor: 5 }]],
])('devices: systemd is left out where %s', (_, list) => {
  expect(devices({ devices: list })).not.toHaveProperty('DevicePolicy');
});

test('devices: a user’s systemd has no say', () => {
  expect(devices({ devices: [none] }, 'user')).not.toHaveProperty('DevicePolicy');
});

test.each([
  ['uint64 5', ['t', '5']],
  ['-3', ['i', '-3']],
  ['true', ['b', 'true']],
  [`'SIGINT'`, ['s', 'SIGINT']],
  [`["a.service", 'b.service']`, ['as', '2', 'a.service', 'b.service']],
  ['[]', ['as', '0']],
])('an annotation may ask for a property: %s', (text, value) => {
  expect(requested({ 'org.systemd.property.X': text, other: 'y' })).toEqual([['X', ...value]]);
});

test.each(['', 'five', 'uint65 5', `'a' 'b'`, '[a]', `{'a': 1}`])(
  'and what is no value is refused: %s',
  (text) => {
    expect(() => requested({ 'org.systemd.property.X': text })).toThrow(
      /annotations\[org\.systemd\.property\.X\]/,
    );
  },
);

test('what follows from the path is not to be asked for', () => {
  expect(() => requested({ 'org.systemd.property.Slice': "'x.slice'" })).toThrow(/Slice\]: .*cgroupsPath/);
});
