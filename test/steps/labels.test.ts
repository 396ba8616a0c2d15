import { expect, test } from 'vitest';
import type { Facts } from '../../src/facts/facts.ts';
import type { Process } from '../../src/oci/spec.ts';
import { labels, mountLabel } from '../../src/steps/labels.ts';

const host = (...modules: string[]) => ({ labels: modules }) as unknown as Facts;
const process = (more: Partial<Process>): Process => ({ args: ['x'], cwd: '/', ...more });
const spec = (label?: string) => ({
  ociVersion: '1.3.0',
  linux: label === undefined ? {} : { mountLabel: label },
});

test('an AppArmor profile holds from the exec on', () => {
  expect(labels(process({ apparmorProfile: 'lab' }), host('apparmor'))).toMatchObject([
    { at: 'child', kind: 'write', path: '/proc/self/attr/apparmor/exec', data: 'exec lab' },
  ]);
  expect(labels(process({ apparmorProfile: 'unconfined' }), host('apparmor'))).toHaveLength(1);
  expect(labels(process({ apparmorProfile: 'unconfined' }), host())).toEqual([]);
});

test('a SELinux label', () => {
  const selinuxLabel = 'system_u:system_r:svirt_lxc_net_t:s0:c124,c675';
  expect(labels(process({ selinuxLabel }), host('selinux'))).toMatchObject([
    { at: 'child', kind: 'write', path: '/proc/self/attr/exec', data: selinuxLabel },
  ]);
  expect(() => labels(process({ selinuxLabel }), host('apparmor'))).toThrow(/process\.selinuxLabel: selinux/);
});

test('a mount label is an option in quotes, since it may hold commas', () => {
  expect(mountLabel(spec('a:b:c:s0:c1,c2'), host('selinux'))).toEqual(['context="a:b:c:s0:c1,c2"']);
  expect(mountLabel(spec(), host())).toEqual([]);
  expect(() => mountLabel(spec('a'), host())).toThrow(/linux\.mountLabel/);
});
