/** What lesson 9's stage plans, on each kind of host. */
import { expect, test } from 'vitest';
import cgroup from '../../../lessons/09-cgroup/stage.ts';
import type { Facts } from '../../../src/facts/facts.ts';
import type { Linux, Mount, Spec } from '../../../src/oci/spec.ts';
import { explainCall } from '../../../src/plan/explain.ts';
import type { Call } from '../../../src/plan/step.ts';
import { hybridHost, v1Host, v2Host } from './hosts.ts';

const config = (linux: Linux, mounts: Mount[] = []): Spec => ({
  ociVersion: '1.3.0',
  process: { args: ['x'], cwd: '/', user: { uid: 1000, gid: 1000 } },
  mounts,
  linux: { namespaces: [{ type: 'cgroup' }, { type: 'mount' }], ...linux },
});
const calls = (linux: Linux, facts: Facts, mounts?: Mount[]) =>
  cgroup(config(linux, mounts), facts).map((draft) => explainCall(draft as Call));
const top = '/sys/fs/cgroup';

test('v2: controllers are handed out only for what is asked or counted, and it is born in its cgroup', () => {
  const steps = calls({ cgroupsPath: '/a/c', resources: { cpu: { cpus: '0' }, pids: { limit: 5 } } }, v2Host);
  const control = steps.filter((step) => step.includes('subtree_control'));
  expect(control).toEqual([
    `write("${top}/cgroup.subtree_control", "+cpuset +pids")`,
    `write("${top}/cgroup.subtree_control", "+cpu +io +memory")`,
    `write("${top}/a/cgroup.subtree_control", "+cpuset +pids")`,
    `write("${top}/a/cgroup.subtree_control", "+cpu +io +memory")`,
  ]);
  const birth = steps.findIndex((step) => step.includes('CLONE_INTO_CGROUP'));
  expect(birth).toBeGreaterThan(steps.indexOf(`write("${top}/a/c/pids.max", "5")`));
  expect(steps.join()).not.toContain('cgroup.procs');
});

test('v1: a directory in each hierarchy, one for controllers that share it; a cpuset is filled before it is joined', () => {
  const steps = calls({ cgroupsPath: '/a/c' }, v1Host);
  const made = steps.filter((step) => step.startsWith('mkdir'));
  expect(made.filter((step) => step.includes('cpu,cpuacct'))).toEqual([
    `mkdir("${top}/cpu,cpuacct/a", 0755)`,
    `mkdir("${top}/cpu,cpuacct/a/c", 0755)`,
  ]);
  const order = ['a/cpuset.cpus', 'a/cpuset.mems', 'a/c/cpuset.cpus', 'a/c/cpuset.mems', 'a/c/tasks'];
  const at = order.map((file) => steps.findIndex((step) => step.includes(`cpuset/${file}`)));
  expect(at.every((index) => index >= 0)).toBe(true);
  expect(at).toEqual(at.toSorted((a, b) => a - b));
  // By itself, once a hierarchy: net_cls and net_prio are one, like cpu and cpuacct.
  const entered = steps.filter((step) => /^write\(cgroup-[\w=]+, "0"\)$/.test(step));
  expect(new Set(entered).size).toBe(new Set(Object.values(v1Host.cgroup.controllers)).size);
});

test('a cpuset that was there before keeps what it has', () => {
  const cpuset = { at: `${top}/cpuset/a`, cpus: '1', mems: '0' };
  const steps = calls({ cgroupsPath: '/a/c' }, { ...v1Host, cgroup: { ...v1Host.cgroup, cpuset } });
  expect(steps.filter((step) => step.includes('cpuset.cpus'))).toEqual([
    `write("${top}/cpuset/a/c/cpuset.cpus", "1")`,
  ]);
});

test('what was there before is not removed; what all share, by the last one', () => {
  const undos = (path: string) =>
    cgroup(config({ cgroupsPath: path }), v2Host)
      .filter((draft) => draft.kind === 'mkdir' && draft.at === 'host')
      .map((draft) => ('path' in draft ? [draft.path, draft.tolerate, draft.undo?.tolerate] : []));
  expect(undos('/a/c')).toEqual([
    [`${top}/a`, ['EEXIST'], ['EBUSY']],
    [`${top}/a/c`, undefined, undefined],
  ]);
  expect(undos('c')).toEqual([
    [`${top}/tslab`, undefined, ['EBUSY']],
    [`${top}/tslab/c`, undefined, undefined],
  ]);
});

test('a delegated subtree: nothing above it is touched', () => {
  const base = '/user.slice/user@1000.service';
  const facts = { ...v2Host, uid: 1000, cgroup: { ...v2Host.cgroup, base } };
  const steps = calls({ cgroupsPath: `${base}/tslab-x`, resources: { pids: { limit: 5 } } }, facts);
  expect(steps.filter((step) => step.includes('subtree_control'))).toEqual([
    `write("${top}${base}/cgroup.subtree_control", "+pids")`,
    `write("${top}${base}/cgroup.subtree_control", "+cpu +io +memory")`,
  ]);
  expect(steps.filter((step) => step.startsWith('mkdir'))).toEqual([`mkdir("${top}${base}/tslab-x", 0755)`]);
});

const writable: Mount = { destination: top, type: 'cgroup', source: 'cgroup', options: ['nosuid'] };

test('a v2 cgroup that is shown writable belongs to the container’s user, as far as it may be given away', () => {
  const given = (facts: Facts, mount: Mount) =>
    calls({ cgroupsPath: '/c' }, facts, [mount]).filter((step) => step.startsWith('fchownat'));
  expect(given(v2Host, writable)).toEqual([
    `fchownat("${top}/c", 1000, -1)`,
    `fchownat("${top}/c/cgroup.procs", 1000, -1)`,
    `fchownat("${top}/c/cgroup.subtree_control", 1000, -1)`,
  ]);
  expect(given(v2Host, { ...writable, options: ['ro'] })).toEqual([]);
  expect(given(v1Host, writable)).toEqual([]);
});

test('mounts: v2 is one, v1 stands side by side, a hybrid has v2 among them', () => {
  const mounts = (facts: Facts, linux: Linux = {}) =>
    calls({ cgroupsPath: '/c', ...linux }, facts, [{ ...writable, options: ['ro'] }]).filter((step) =>
      /^mount(_setattr)?\(/.test(step),
    );
  const readOnly = `mount_setattr(root:"${top}", 0, {set MOUNT_ATTR_RDONLY})`;
  expect(mounts(v2Host)).toEqual([`mount("cgroup", root:"${top}", "cgroup2", MS_RDONLY, NULL)`]);
  expect(mounts(hybridHost)).toEqual([
    `mount("tmpfs", root:"${top}", "tmpfs", 0, "mode=755")`,
    readOnly, // among what is masked, when all is in it
    `mount("cgroup", root:"${top}/memory", "cgroup", MS_RDONLY, "memory")`,
    `mount("cgroup", root:"${top}/pids", "cgroup", MS_RDONLY, "pids")`,
    `mount("cgroup", root:"${top}/unified", "cgroup2", MS_RDONLY, NULL)`,
  ]);
  expect(mounts(v2Host, { namespaces: [{ type: 'mount' }] })).toEqual([
    `mount("${top}/c", root:"${top}", NULL, MS_BIND|MS_REC, NULL)`,
    readOnly,
  ]);
});

test('mounts: v2 lies on a tmpfs where a bind brought the host’s tree already, which is the same file system', () => {
  const mounts = (facts: Facts, options: string[]) =>
    calls({ cgroupsPath: '/c' }, facts, [
      { destination: '/sys', type: 'bind', source: '/sys', options },
      { ...writable, options: ['ro'] },
    ]).filter((step) => step.startsWith('mount('));
  const tree = `mount("cgroup", root:"${top}", "cgroup2", MS_RDONLY, NULL)`;
  expect(mounts(v2Host, ['rbind'])).toEqual([
    `mount("tmpfs", root:"${top}", "tmpfs", MS_RDONLY, NULL)`,
    tree,
  ]);
  expect(mounts(v2Host, ['bind'])).toEqual([tree]);
  expect(mounts(hybridHost, ['rbind']).filter((step) => step.includes('"tmpfs"'))).toHaveLength(1);
});

test('devices under v2: one program, attached before anybody is in', () => {
  const steps = calls({ cgroupsPath: '/c', resources: { devices: [{ allow: false }] } }, v2Host);
  const attach = steps.findIndex((step) => step.startsWith('bpf('));
  expect(attach).toBeGreaterThan(-1);
  expect(attach).toBeLessThan(steps.findIndex((step) => step.startsWith('clone3')));
});

test.each(['/', '/a/../b', '../x', '/a/./b', '/a\nb'])('the path %j is refused', (path) => {
  expect(() => calls({ cgroupsPath: path }, v2Host)).toThrow(/linux\.cgroupsPath is/);
});

test('a user without a subtree: no cgroup, and a limit is refused by name', () => {
  const facts = { ...v2Host, uid: 1000, cgroup: { ...v2Host.cgroup, writable: false } };
  expect(calls({}, facts)).toEqual(['unshare(CLONE_NEWCGROUP)']);
  expect(() => calls({ resources: { memory: { limit: 1 << 20 } } }, facts)).toThrow(
    /linux\.resources\.memory\.limit: user 1000 may not make cgroups here/,
  );
  // Who can make no device node gets none but the host's own, so that nobody misses a rule (runtime/plan.ts warns of it).
  const rules = { resources: { devices: [{ allow: false }] } };
  expect(calls(rules, { ...facts, capabilities: [] })).toEqual(['unshare(CLONE_NEWCGROUP)']);
  expect(() => calls(rules, { ...facts, capabilities: ['CAP_MKNOD'] })).toThrow(/linux\.resources\.devices/);
  expect(() => calls({ cgroupsPath: '/c' }, facts)).toThrow(/linux\.cgroupsPath: user 1000/);
});
