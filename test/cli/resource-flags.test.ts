import { expect, test } from 'vitest';
import { deviceRules, type ResourceFlags, resourcesFrom } from '../../src/cli/resource-flags.ts';
import type { Resources } from '../../src/oci/spec.ts';

test.each<[ResourceFlags, Resources]>([
  [{ memory: '512m' }, { memory: { limit: 536_870_912 } }],
  [{ memory: '1.5g', memorySwap: '-1' }, { memory: { limit: 1_610_612_736, swap: -1 } }],
  [{ memory: '100KiB' }, { memory: { limit: 102_400 } }],
  [{ memoryReservation: '4096' }, { memory: { reservation: 4096 } }],
  [{ memory: '10b' }, { memory: { limit: 10 } }],
  [{ cpus: '1.5' }, { cpu: { quota: 150_000, period: 100_000 } }],
  [{ cpus: '0.5', cpuPeriod: '50000' }, { cpu: { quota: 25_000, period: 50_000 } }],
  [{ cpuQuota: '-1', cpuShares: '512' }, { cpu: { quota: -1, shares: 512 } }],
  [{ cpusetCpus: '0-1', cpusetMems: '0' }, { cpu: { cpus: '0-1', mems: '0' } }],
  [{ pidsLimit: '0' }, { pids: { limit: -1 } }],
  [
    { pidsLimit: '12', blkioWeight: '300' },
    { pids: { limit: 12 }, blockIO: { weight: 300 } },
  ],
  [{}, {}],
])('%j', (flags, resources) => expect(resourcesFrom(flags)).toEqual(resources));

test.each<[ResourceFlags, RegExp]>([
  [{ memory: '3x' }, /--memory 3x: it takes a size/],
  [{ memory: '-2' }, /--memory -2/],
  [{ cpus: '0' }, /--cpus 0/],
  [{ cpus: '1', cpuQuota: '1' }, /--cpus, --cpu-quota/],
  [{ pidsLimit: 'many' }, /--pids-limit many: it takes a whole number/],
])('%j is refused', (flags, message) => expect(() => resourcesFrom(flags)).toThrow(message));

test('devices are closed where somebody sees to it, and opened by rules', () => {
  expect(deviceRules({}, false)).toBeUndefined();
  expect(deviceRules({ deviceCgroupRule: ['c 10:200 rw'] }, true)).toEqual([
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
  ]);
  expect(() => deviceRules({ deviceCgroupRule: ['/dev/null'] }, true)).toThrow(/--device-cgroup-rule/);
});
