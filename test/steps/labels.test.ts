import { expect, test } from 'vitest';
import type { Facts } from '../../src/facts/facts.ts';
import type { Process } from '../../src/oci/spec.ts';
import { labels } from '../../src/steps/labels.ts';

const host = (...modules: string[]) => ({ labels: modules }) as unknown as Facts;
const process = (more: Partial<Process>): Process => ({ args: ['x'], cwd: '/', ...more });

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
