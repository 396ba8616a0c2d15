import { expect, test } from 'vitest';
import { explainCall } from '../../src/plan/explain.ts';
import { meaning } from '../../src/plan/meaning.ts';
import type { Call } from '../../src/plan/step.ts';

test.each<[Call, string]>([
  [
    { kind: 'open_tree', path: '/data', recursive: true, as: 'tree' },
    'tree = open_tree("/data", OPEN_TREE_CLONE|AT_RECURSIVE)',
  ],
  [
    { kind: 'mount_setattr', dir: 'tree', path: '', set: ['MOUNT_ATTR_RDONLY'], propagation: ['MS_PRIVATE'] },
    'mount_setattr(tree, 0, {set MOUNT_ATTR_RDONLY, MS_PRIVATE})',
  ],
  [{ kind: 'move_mount', fd: 'tree', dir: 'root', target: '/data' }, 'move_mount(tree, root:"/data")'],
  [
    { kind: 'userns', uids: '0 5 1\n1 9 2\n', gids: '0 5 1\n', as: 'ids' },
    'ids = clone3(CLONE_NEWUSER), uid_map "0 5 1, 1 9 2", gid_map "0 5 1"',
  ],
  [
    { kind: 'verify', dir: 'null', path: '', sort: 0o020000, major: 1, minor: 3 },
    'fstat(null) == S_IFCHR 1:3',
  ],
  [{ kind: 'mountpoint', dir: 'root', path: '/x', like: 'tree' }, 'mountpoint(root:"/x", like tree)'],
  [{ kind: 'mask', dir: 'root', path: '/proc/keys', fd: 'null' }, 'mask(root:"/proc/keys", null)'],
])('%j is said as a call, and in words', (call, said) => {
  expect(explainCall(call)).toBe(said);
  expect(meaning(call).en).toMatch(/^[a-z].*[^.]$/);
  expect(meaning(call).zh).toMatch(/\p{Script=Han}/u);
});
