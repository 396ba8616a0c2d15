/** The launcher's kinds around mounts, alone: what they do at the edges. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Call, Step } from '../../../src/plan/step.ts';
import { child, host, perform, Scratch, sh } from '../../support/launcher.ts';

let scratch: Scratch;
let inner: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  scratch = new Scratch();
  inner = scratch.path('inner');
  mkdirSync(inner);
});
afterEach(() => scratch?.[Symbol.dispose]());

const open = (path: string, as: string): Step => host({ kind: 'open', path, flags: ['O_PATH'], as });
const root = (): Step => open(inner, 'root');
/** A child in a mount namespace of its own, which then runs a script. */
const alone = (...calls: Call[]): Step[] => [
  host({ kind: 'clone', flags: ['CLONE_NEWNS'] }),
  child({ kind: 'mount', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] }),
  ...calls.map((call) => child(call)),
];
const sort = 0o020000;

test('verify: the device, another device, no device', () => {
  const verify = (path: string, minor: number) =>
    perform([host({ kind: 'verify', path, sort, major: 1, minor })]);
  expect(verify('/dev/null', 3).status).toBe(0);
  expect(verify('/dev/null', 5).stderr).toContain('ENXIO');
  expect(verify('/etc/passwd', 3).stderr).toContain('ENXIO');
  symlinkSync('/dev/null', scratch.path('link'));
  expect(verify(scratch.path('link'), 3).status).toBe(0);
});

test('a descriptor whose opening went wrong is none, not the one before', () => {
  const tolerated = host(
    { kind: 'open', dir: 'root', path: '/no', flags: ['O_PATH'], as: 'x' },
    { tolerate: ['ENOENT'] },
  );
  const steps = [
    root(),
    open('/dev/null', 'x'),
    tolerated,
    host({ kind: 'verify', dir: 'x', path: '', sort, major: 1, minor: 3 }),
  ];
  expect(perform(steps).stderr).toContain('EBADF');
});

test('mknod makes a node once; what else is there is EEXIST', () => {
  const mknod = (path: string, minor: number): Step =>
    host({ kind: 'mknod', dir: 'root', path, mode: sort | 0o600, major: 1, minor });
  expect(perform([root(), mknod('/a', 3), mknod('/a', 3)]).status).toBe(0);
  expect(perform([root(), mknod('/a', 5)]).stderr).toContain('EEXIST');
  symlinkSync('a', join(inner, 'link'));
  expect(perform([root(), mknod('/link', 3)]).stderr).toContain('EEXIST');
});

test('mountpoint: directories, files, symlinks that lead nowhere yet, and in circles', () => {
  const make = (path: string, file = false) =>
    perform([root(), host({ kind: 'mountpoint', dir: 'root', path, file })]);
  symlinkSync('/to/there', join(inner, 'dangling'));
  symlinkSync('dangling', join(inner, 'chain'));
  symlinkSync('circle', join(inner, 'circle'));
  symlinkSync(`${'../'.repeat(20)}${scratch.dir}/out`, join(inner, 'out'));
  for (const path of ['/a/b/c', '/chain/x/../y', '/out', '/a/b', '/'])
    expect([path, make(path).stderr]).toEqual([path, '']);
  expect(make('/chain/file', true).status).toBe(0);
  expect(statSync(join(inner, 'to/there/file')).isFile()).toBe(true);
  expect(statSync(join(inner, 'to/there/y')).isDirectory()).toBe(true);
  expect(statSync(join(inner, scratch.dir, 'out')).isDirectory()).toBe(true);
  expect(readdirSync(scratch.dir)).toEqual(['inner']);
  expect(make('/circle/x').stderr).toContain('ELOOP');
  expect(make('/to/there/file/x').stderr).toContain('ENOTDIR');
  // A name that is taken is left alone, whatever it is: a fifo isn't opened, for that could last.
  expect(make('/to/there/file').status).toBe(0);
});

test('a bind mount held by descriptor is seen by nobody until it is moved into place', () => {
  writeFileSync(join(inner, 'file'), 'text');
  mkdirSync(scratch.path('place'));
  const place = scratch.path('place');
  const { stdout, stderr } = perform([
    ...alone(
      { kind: 'open_tree', path: inner, as: 'tree' },
      { kind: 'mount_setattr', dir: 'tree', path: '', set: ['MOUNT_ATTR_RDONLY'] },
      { kind: 'mount', source: 'tmpfs', target: inner, fstype: 'tmpfs' },
      { kind: 'move_mount', fd: 'tree', target: place },
    ),
    sh(`cat ${place}/file; ls ${inner}; touch ${place}/x; grep -c ' ${place} ' /proc/self/mountinfo`),
  ]);
  expect(stdout).toBe('text1\n');
  expect(stderr).toContain('Read-only file system');
  expect(readdirSync(place)).toEqual([]);
});

test('a mount by descriptor needs no /proc and leaves the working directory alone', () => {
  const { stdout, stderr } = perform([
    root(),
    ...alone(
      { kind: 'chdir', path: '/usr' },
      { kind: 'mount', source: 'tmpfs', target: '/proc', fstype: 'tmpfs' },
      { kind: 'open', path: inner, flags: ['O_PATH', 'O_DIRECTORY'], as: 'root' },
      { kind: 'mkdir', dir: 'root', path: '/a', mode: 0o755 },
      { kind: 'mount', source: 'tmpfs', dir: 'root', target: '/a', fstype: 'tmpfs' },
      { kind: 'umount', dir: 'root', target: '/a' },
      { kind: 'mount', source: 'proc', target: '/proc', fstype: 'proc' },
    ),
    sh(`pwd; grep -c ${inner}/a /proc/self/mountinfo`),
  ]);
  expect([stdout, stderr]).toEqual(['/usr\n0\n', '']);
});

test('a user namespace for its maps alone leaves no process and no signal behind', () => {
  const steps = [
    host({ kind: 'userns', uids: '0 1000 10\n20 2000 1\n', gids: '0 3000 5\n', as: 'ids' }),
    host({ kind: 'clone', flags: [] }),
    child({ kind: 'setns', fd: 'ids', flags: ['CLONE_NEWUSER'] }),
    sh('cat /proc/self/uid_map /proc/self/gid_map; exit 3'),
  ];
  const { stdout, status } = perform(steps);
  expect(stdout.replace(/ +/g, ' ')).toBe(' 0 1000 10\n 20 2000 1\n 0 3000 5\n');
  expect(status).toBe(3);
  expect(perform([host({ kind: 'userns', uids: 'nonsense', gids: '0 0 1', as: 'ids' })]).stderr).toContain(
    'EINVAL',
  );
});

test('copytree: what is there, never what a symlink names, not without end', () => {
  const from = scratch.path('from');
  mkdirSync(join(from, 'a/b'), { recursive: true });
  writeFileSync(scratch.path('secret'), 'secret');
  symlinkSync(scratch.path('secret'), join(from, 'a/link'));
  writeFileSync(join(from, 'a/big'), Buffer.alloc(3 << 20, 1));
  const copy = (path: string) =>
    perform([
      host({ kind: 'open', path, flags: ['O_DIRECTORY'], as: 'from' }),
      host({ kind: 'open', path: inner, flags: ['O_DIRECTORY'], as: 'to' }),
      host({ kind: 'copytree', fd: 'from', into: 'to' }),
    ]);
  expect(copy(from).stderr).toBe('');
  expect(readlinkSync(join(inner, 'a/link'))).toBe(scratch.path('secret'));
  expect(readFileSync(join(inner, 'a/big')).length).toBe(3 << 20);
  // What is there already is not overwritten; and a tree in itself has an end.
  expect(copy(from).stderr).toContain('EEXIST');
  expect(copy(scratch.dir).stderr).toMatch(/EEXIST|ELOOP|ENAMETOOLONG/);
});
