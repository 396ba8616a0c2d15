import { expect, test } from 'vitest';
import { usernsForbiddenBy } from '../../src/facts/userns.ts';

const host = (files: Record<string, string>) => (path: string) => files[path] ?? '';

test('a host without such switches, or with all of them on, forbids nothing', () => {
  expect(usernsForbiddenBy(host({}))).toBeUndefined();
  expect(
    usernsForbiddenBy(
      host({
        '/proc/sys/user/max_user_namespaces': '15000',
        '/proc/sys/kernel/unprivileged_userns_clone': '1',
        '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '0',
      }),
    ),
  ).toBeUndefined();
});

test.each([
  ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces=15000'],
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone=1'],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'kernel.apparmor_restrict_unprivileged_userns=0',
  ],
])('%s = %s is said with what to set', (path, value, remedy) => {
  expect(usernsForbiddenBy(host({ [path]: value }))).toBe(remedy);
});
