import { expect, test } from 'vitest';
import type { Facts } from '../../src/facts/facts.ts';
import { parseRanges } from '../../src/facts/ids.ts';
import type { IdMapping, Spec } from '../../src/oci/spec.ts';
import { idMapSteps } from '../../src/steps/idmap.ts';
import { forUserNamespace } from '../../src/steps/idmap-mounts.ts';

const facts = (uid: number, more: Partial<Facts> = {}): Facts => ({
  kernel: '6.0',
  uid,
  gid: uid,
  capabilities: [],
  namespaces: [],
  cgroup: { layout: 'none', controllers: {}, writable: false },
  rootShared: false,
  ...more,
});
const ids = {
  subuids: [{ first: 100_000, count: 65_536 }],
  subgids: [{ first: 100_000, count: 65_536 }],
  newuidmap: '/usr/bin/newuidmap',
  newgidmap: '/usr/bin/newgidmap',
};
const spec = (maps: IdMapping[], gids = maps): Spec => ({
  ociVersion: '1.3.0',
  linux: { namespaces: [{ type: 'user' }], uidMappings: maps, gidMappings: gids },
});
const entry = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const kindsOf = (s: Spec, f: Facts) =>
  idMapSteps(s, f).map((step) => `${step.kind} ${'path' in step ? step.path : ''}`);

test('root writes any map itself, and denies nobody anything', () => {
  expect(kindsOf(spec([entry(0, 100_000, 65_536)]), facts(0))).toEqual(['write uid_map', 'write gid_map']);
});

test('one’s own id needs no helper, but setgroups has to be given up', () => {
  expect(kindsOf(spec([entry(0, 1000, 1)]), facts(1000))).toEqual([
    'write setgroups',
    'write uid_map',
    'write gid_map',
  ]);
  expect(kindsOf(spec([entry(1000, 1000, 1)]), facts(1000))[0]).toBe('write setgroups');
});

test('more needs the helpers, which get the pid and the numbers', () => {
  const steps = idMapSteps(spec([entry(0, 1000, 1), entry(1, 100_000, 65_536)]), facts(1000, { ids }));
  expect(steps.map((step) => step.kind)).toEqual(['spawn', 'spawn']);
  expect(steps[0]).toMatchObject({
    path: '/usr/bin/newuidmap',
    argv: ['newuidmap', '@PID@', '0', '1000', '1', '1', '100000', '65536'],
    pidWord: '@PID@',
    field: 'linux.uidMappings',
  });
});

test.each([
  [
    [entry(0, 1000, 1), entry(1, 99_999, 10)],
    /uidMappings: ids 99999 to 100008 are not yours.*100000 to 165535/,
  ],
  [[entry(0, 100_000, 65_537)], /are not yours/],
  [[entry(0, 0, 1)], /ids 0 to 0 are not yours/],
])('ids that are not the user’s: %j', (maps, message) =>
  expect(() => idMapSteps(spec(maps), facts(1000, { ids }))).toThrow(message),
);

test('ranges without the helpers say which package has them', () => {
  const { newuidmap: _, newgidmap: __, ...without } = ids;
  expect(() => idMapSteps(spec([entry(0, 100_000, 10)]), facts(1000, { ids: without }))).toThrow(
    /newuidmap.*uidmap/,
  );
});

test.each([
  [[], /uidMappings: a new user namespace needs a map/],
  [[entry(0, 1, 0)], /uidMappings\[0\]\.size/],
  [[entry(0, 1, 10), entry(9, 100, 1)], /uidMappings\[1\]\.containerID: 9 is in entry 0/],
  [[entry(0, 50, 10), entry(20, 45, 6)], /uidMappings\[0\]\.hostID: 50 is in entry 1/],
  [[entry(0, 0xffff_ffff, 1)], /uidMappings\[0\]: goes beyond 4294967294/],
  [Array.from({ length: 341 }, (_, i) => entry(i, i, 1)), /341 entries; the kernel takes 340/],
])('a map that the kernel would refuse: %#', (maps, message) =>
  expect(() => idMapSteps(spec(maps), facts(0))).toThrow(message),
);

test('a user that the map does not know, and groups that can’t be set', () => {
  const one = spec([entry(0, 1000, 1)]);
  const as = (user: NonNullable<Spec['process']>['user']): Spec => ({
    ...one,
    process: { args: [], cwd: '/', ...(user ? { user } : {}) },
  });
  expect(() => idMapSteps(as({ uid: 5, gid: 0 }), facts(1000))).toThrow(/process\.user\.uid: 5/);
  expect(() => idMapSteps(as({ uid: 0, gid: 0, additionalGids: [0, 7] }), facts(1000))).toThrow(
    /additionalGids\[1\]: 7/,
  );
  expect(() => idMapSteps(as({ uid: 0, gid: 0, additionalGids: [0] }), facts(1000))).toThrow(
    /may not set others/,
  );
});

test('subuid lines are found by name and by number; others and broken ones are not', () => {
  const text = 'me:100:5\n1000:200:6\nyou:300:7\nme:400\nme:x:1\nme:500:0\n# me:1:1\n  me:600:1  \n';
  expect(parseRanges(text, 1000, 'me')).toEqual([
    { first: 100, count: 5 },
    { first: 200, count: 6 },
    { first: 600, count: 1 },
  ]);
});

test('what shows a namespace that is not ours is bound from the host', () => {
  const sys = { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro', 'nosuid'] };
  const own = spec([entry(0, 1000, 1)]);
  own.linux?.namespaces?.push({ type: 'network' });
  expect(forUserNamespace(sys, own)).toBe(sys);
  expect(forUserNamespace(sys, { ociVersion: '1.3.0' })).toBe(sys);
  expect(forUserNamespace(sys, spec([entry(0, 1000, 1)]))).toEqual({
    destination: '/sys',
    type: 'bind',
    source: '/sys',
    options: ['rbind', 'rro', 'ro', 'nosuid', 'nodev', 'noexec'],
  });
});

test('the terminals’ group is left out where there is no such group', () => {
  const pts = { destination: '/dev/pts', type: 'devpts', options: ['newinstance', 'gid=5', 'mode=620'] };
  expect(forUserNamespace(pts, spec([entry(0, 1000, 1)])).options).toEqual(['newinstance', 'mode=620']);
  expect(forUserNamespace(pts, spec([entry(0, 1000, 10)])).options).toEqual(pts.options);
});
