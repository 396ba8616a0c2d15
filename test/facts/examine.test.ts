/** What tslab doctor says about cgroups. */
import { expect, test } from 'vitest';
import { examine } from '../../src/facts/examine.ts';
import type { Facts } from '../../src/facts/facts.ts';
import { hybridHost, v1Host, v2Host } from '../steps/cgroup/hosts.ts';

const lacking = (facts: Facts) =>
  examine(facts)
    .filter(({ ok, name }) => !ok && name.startsWith('cgroup controller'))
    .map(({ name, lesson }) => `${name}: ${lesson}`);

test('a controller that lacks, and what that costs', () => {
  expect(lacking(v1Host)).toEqual([]);
  expect(lacking(v2Host)).toEqual([]);
  expect(lacking(hybridHost)).toEqual([
    'cgroup controller cpu: 9 cgroup (--cpus)',
    'cgroup controller cpuset: 9 cgroup (--cpuset-cpus)',
    'cgroup controller blkio (v2: io): 9 cgroup (--blkio-weight)',
    'cgroup controller devices: 9 cgroup (--device-cgroup-rule)',
  ]);
});
