/** A container's place in a scope of systemd's: its name, and the steps that lead there. */
import { expect, test } from 'vitest';
import cgroup from '../../../lessons/09-cgroup/stage.ts';
import { cgroupFacts } from '../../../src/facts/cgroup.ts';
import type { Facts } from '../../../src/facts/facts.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { explainCall } from '../../../src/plan/explain.ts';
import { phases } from '../../../src/plan/phases.ts';
import type { Call } from '../../../src/plan/step.ts';
import { scopeIn, scopeOf, scopePath } from '../../../src/steps/cgroup/scope-name.ts';
import { v1Host, v2Host } from './hosts.ts';

test.each([
  ['machine.slice:libpod:abc', 'system', { slice: 'machine.slice', unit: 'libpod-abc.scope' }],
  ['user.slice::abc', 'user', { slice: 'user.slice', unit: 'abc.scope' }],
  [':crio:', 'system', { slice: 'system.slice', unit: 'crio-web.scope' }],
  ['-:crio:x', 'system', { slice: '-.slice', unit: 'crio-x.scope' }],
  [undefined, 'system', { slice: 'system.slice', unit: 'tslab-web.scope' }],
  ['', 'user', { slice: 'user.slice', unit: 'tslab-web.scope' }],
] as const)('%s of the %s manager', (path, manager, scope) =>
  expect(scopeOf(path, 'web', manager)).toEqual(scope),
);

test.each([
  '/a/b',
  'a',
  'a.slice:b',
  'system.slice:a:b:c',
  'x:a:b',
  'system.slice:a:b/../c',
  'a--b.slice:x:y',
  '-a.slice:x:y',
])('%s is refused', (path) => {
  expect(() => scopeOf(path, 'web', 'system')).toThrow(/linux\.cgroupsPath is .*slice:prefix:name/);
});

test.each([
  ['a-b-c.slice', 'x.scope', '/a.slice/a-b.slice/a-b-c.slice/x.scope/container'],
  ['-.slice', 'x.scope', '/x.scope/container'],
  ['memory-a.slice', 'cpu.scope', '/_memory.slice/memory-a.slice/_cpu.scope/container'],
])('%s/%s is at %s, and back', (slice, unit, path) => {
  expect(scopePath(slice, unit)).toBe(path);
  expect(scopeIn(path)).toMatchObject({ slice, unit });
});

const systemd = {
  manager: 'system',
  busctl: '/usr/bin/busctl',
  systemctl: '/usr/bin/systemctl',
  env: ['A=b'],
} as const;
const path = '/machine.slice/libpod-a\\x2db.scope/container';
const config = (linux: Spec['linux']): Spec => ({
  ociVersion: '1.3.0',
  linux: { cgroupsPath: path, ...linux },
});
const plan = (host: Facts, linux: Spec['linux'] = {}) => cgroup(config(linux), { ...host, systemd });
const told = (host: Facts, linux?: Spec['linux']) =>
  plan(host, linux)
    .toSorted((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase))
    .map((draft) => explainCall(draft as Call).replaceAll('/sys/fs/cgroup', ''));

test('v2: a scope with the child in it, which moves on before anything is handed out or limited', () => {
  const own = '/machine.slice/libpod-a\\\\x2db.scope/container'; // as JSON writes it
  const steps = told(v2Host, { resources: { pids: { limit: 5 } } });
  expect(steps[0]).toContain('"busctl", "--system"');
  expect(steps[1]).toContain('"until ');
  expect(steps.slice(2)).toEqual([
    `mkdir("${own}", 0755)`,
    `write("${own}/cgroup.procs", "0")`,
    `write("${own.replace('/container', '')}/cgroup.subtree_control", "+pids")`,
    `write("${own.replace('/container', '')}/cgroup.subtree_control", "+cpu +io +memory")`,
    `write("${own}/pids.max", "5")`,
  ]);
});

test('what systemd neither hands out nor takes back is handed out from the top', () => {
  const host = { ...v2Host, cgroup: { ...v2Host.cgroup, unifiedControllers: ['hugetlb'] } };
  const limit = { resources: { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] } };
  expect(told(host, limit).filter((step) => step.includes('+hugetlb'))).toEqual([
    'write("/cgroup.subtree_control", "+hugetlb")',
    'write("/machine.slice/cgroup.subtree_control", "+hugetlb")',
    'write("/machine.slice/libpod-a\\\\x2db.scope/cgroup.subtree_control", "+hugetlb")',
  ]);
});

test('v1: in the hierarchies that systemd does not manage, all of the path is made', () => {
  const steps = told(v1Host);
  expect(steps.filter((step) => step.startsWith('mkdir("/freezer'))).toHaveLength(3);
  expect(steps.some((step) => step.startsWith('write("/freezer') && step.endsWith('/tasks", "0")'))).toBe(
    true,
  );
});

test('the call: the words of busctl, the child’s pid among them; and its end, which is no error when all is gone', () => {
  const [start] = plan(v2Host);
  if (start?.kind !== 'spawn' || start.undo?.kind !== 'spawn') throw new Error('no call');
  expect(start).toMatchObject({
    path: '/usr/bin/busctl',
    envp: ['A=b'],
    pidWord: expect.stringMatching(/PID/),
  });
  expect(start.argv.join(' ')).toContain(
    'StartTransientUnit ssa(sv)a(sa(sv)) libpod-a\\x2db.scope fail 6 Description s tslab container libpod-a\\x2db.scope ' +
      `Slice s machine.slice PIDs au 1 ${start.pidWord} Delegate b true CollectMode s inactive-or-failed TasksMax t`,
  );
  expect(start.undo.argv).toEqual(['systemctl', '--system', '--quiet', 'stop', 'libpod-a\\\\x2db.scop[e]']);
});

test('without busctl it says what is missing', () => {
  const { busctl: _, ...without } = systemd;
  expect(() => cgroup(config({}), { ...v2Host, systemd: without })).toThrow(/busctl .*install/);
});

test('a user’s own systemd has what was delegated to it, and no controllers of v1', () => {
  const mounts = [
    '1 0 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
    '2 0 0:2 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
    '3 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ];
  const base = '/user.slice/user-7.slice/user@7.service';
  const spec = {
    ...config({ cgroupsPath: `${base}/user.slice/a.scope/container` }),
    annotations: { 'org.tslab.systemd': 'user' },
  };
  expect(cgroupFacts(mounts, spec)).toMatchObject({
    base,
    writable: true,
    controllers: { 'name=systemd': '/sys/fs/cgroup/systemd' },
  });
  expect(
    Object.keys(cgroupFacts(mounts, { ...spec, annotations: { 'org.tslab.systemd': 'system' } }).controllers),
  ).toContain('cpu');
});
