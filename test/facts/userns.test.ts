import { expect, test } from 'vitest';
import { spareIds, usernsForbiddenBy } from '../../src/facts/userns.ts';

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

test.each([
  ['the first namespace', '         0          0 4294967295', { first: 0x70000000, count: 65536 }],
  ['an ordinary user with a range', '0 1000 1\n1 100000 65536', { first: 32769, count: 32768 }],
  ['an ordinary user without', '0 1000 1', undefined],
  ['a container of root', '0 1879048192 65536', { first: 32768, count: 32768 }],
])('ids to spare: %s', (_, map, expected) => {
  expect(spareIds('uid', host({ '/proc/self/uid_map': map }))).toEqual(expected);
});
