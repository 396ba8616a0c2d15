import { expect, test } from 'vitest';
import type { Facts } from '../../src/facts/facts.ts';
import { defaultSpec, type Mount, PlanError, planFor, type Spec } from '../../src/index.ts';

const facts: Facts = {
  kernel: '6.1.0',
  uid: 0,
  gid: 0,
  capabilities: ['CAP_MKNOD'],
  namespaces: [],
  cgroup: { layout: 'none', controllers: {}, writable: false },
  rootShared: false,
};
const spec = (change: (spec: Spec) => void): Spec => {
  const made = defaultSpec({ args: ['true'], rootfs: '/r' });
  change(made);
  return made;
};
const plan = (change: (spec: Spec) => void) => planFor('x', spec(change), facts);
const adding = (mount: Mount) => plan((spec) => spec.mounts?.push(mount));

test('mounts stand in the order of the config, whichever lesson makes them', () => {
  const bind: Mount = { destination: '/proc/sys', source: '/x', options: ['bind', 'ro'] };
  const { steps } = plan((spec) => spec.mounts?.splice(1, 0, bind));
  const fields = steps.filter(({ from }) => from.field?.startsWith('mounts[')).map(({ from }) => from);
  expect(fields[0]).toEqual({ lesson: 'pid', field: 'mounts[0]' });
  const order = fields.map(({ field }) => Number(/\d+/.exec(field ?? '')?.[0]));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(new Set(order).size).toBe((spec(() => {}).mounts?.length ?? 0) + 1);
});

test.each<[string, Mount, RegExp]>([
  [
    'a word that a bind mount has no use for',
    { destination: '/x', source: '/y', options: ['bind', 'size=1'] },
    /"size=1"/,
  ],
  [
    'a flag of the file system behind it',
    { destination: '/x', source: '/y', options: ['rbind', 'sync'] },
    /"sync"/,
  ],
  ['nothing to bind', { destination: '/x', options: ['bind'] }, /mounts\[\d+\]\.source/],
  ['an id map without maps', { destination: '/x', source: '/y', options: ['bind', 'idmap'] }, /uidMappings/],
  [
    'half an id map',
    {
      destination: '/x',
      source: '/y',
      options: ['bind'],
      uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
    },
    /both uidMappings and gidMappings/,
  ],
  ['an id map of a new file system', { destination: '/x', type: 'tmpfs', options: ['idmap'] }, /bind mounts/],
  ['tmpcopyup of no tmpfs', { destination: '/x', type: 'proc', options: ['tmpcopyup'] }, /tmpcopyup/],
])('refused, naming the field: %s', (_, mount, message) => {
  expect(() => adding(mount)).toThrow(PlanError);
  expect(() => adding(mount)).toThrow(message);
  expect(() => adding(mount)).toThrow(/^mounts\[\d+\]/);
});

test.each([
  [{ type: 'x', path: '/dev/a' }, /devices\[0\]\.type is "x"/],
  [{ type: 'c', path: '/dev/a' }, /devices\[0\]: .* needs major and minor/],
  [{ type: 'p', path: 'dev/a' }, /devices\[0\]\.path is "dev\/a"/],
])('a device that is none: %j', (device, message) => {
  expect(() =>
    plan((spec) => {
      spec.linux = { ...spec.linux, devices: [device as never] };
    }),
  ).toThrow(message);
});

test.each<[string, (spec: Spec) => void]>([
  ['mounts', () => {}],
  [
    'linux.maskedPaths',
    (spec) => {
      spec.mounts = [];
    },
  ],
])('without a mount namespace nothing is mounted on the host: %s is refused', (field, change) => {
  expect(() =>
    plan((spec) => {
      spec.linux = { ...spec.linux, namespaces: [{ type: 'pid' }, { type: 'uts' }] };
      change(spec);
    }),
  ).toThrow(`config: ${field}: it takes a mount namespace`);
});

test('mountLabel labels what is mounted, but not what has labels of its own or belongs to the host', () => {
  const label = 'system_u:object_r:container_file_t:s0:c1,c2';
  const { steps } = plan((spec) => {
    spec.mounts?.push({ destination: '/x', source: '/y', options: ['bind'] });
    spec.linux = { ...spec.linux, mountLabel: label };
  });
  const labelled = steps.filter((step) => step.kind === 'mount' && step.data?.includes(`context="${label}"`));
  expect(labelled.map((step) => (step as { fstype?: string }).fstype)).toEqual(['tmpfs', 'devpts', 'tmpfs']);
});
