/** What systemd is asked for. It does not run on test machines: the message is all that can be judged. */
import { expect, test } from 'vitest';
import { scopeCall, scopeOf } from '../../src/runtime/systemd.ts';

test.each([
  ['machine.slice:libpod:abc', 0, { slice: 'machine.slice', unit: 'libpod-abc.scope' }],
  ['user.slice::abc', 1000, { slice: 'user.slice', unit: 'abc.scope' }],
  [':crio:', 0, { slice: 'system.slice', unit: 'crio-web.scope' }],
  [undefined, 0, { slice: 'system.slice', unit: 'tslab-web.scope' }],
  [undefined, 1000, { slice: 'user.slice', unit: 'tslab-web.scope' }],
])('%s of user %i', (path, uid, scope) => expect(scopeOf(path, 'web', uid)).toEqual(scope));

test.each(['/a/b', 'system.slice:a:b:c', 'x:a:b', 'system.slice:a:b/../c'])('%s is refused', (path) => {
  expect(() => scopeOf(path, 'web', 0)).toThrow(/linux\.cgroupsPath is .*slice:prefix:name/);
});

test('a scope with one process, delegated', () => {
  expect(scopeCall({ slice: 'system.slice', unit: 'tslab-web.scope' }, 42, false).join(' ')).toBe(
    '--system call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit ' +
      'ssa(sv)a(sa(sv)) tslab-web.scope fail 5 Description s tslab container tslab-web.scope Slice s system.slice ' +
      'PIDs au 1 42 Delegate b true CollectMode s inactive-or-failed 0',
  );
});
