/** Volumes: propagation (mount_namespaces(7)), id maps (mount_setattr(2)), user namespaces. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountinfo } from '../../../src/evidence/mountinfo.ts';
import type { Spec } from '../../../src/index.ts';
import { hostTmpfs, inside, mountAt, Room, sharedHost } from '../../support/room.ts';

let room: Room;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  room = new Room();
});
afterEach(() => room?.[Symbol.asyncDispose]());

const maps = (hostID: number) => [{ containerID: 0, hostID, size: 65536 }];
const mapped = (spec: Spec): void => {
  spec.linux?.namespaces?.push({ type: 'user' });
  spec.linux = { ...spec.linux, uidMappings: maps(100_000), gidMappings: maps(100_000) };
  // A directory that only root may enter lies above the rootfs otherwise.
  chownSync(room.rootfs, 100_000, 100_000);
  chmodSync(room.folder, 0o711);
};
const mountIn = (pid: number, target: string) =>
  execFileSync('nsenter', ['--target', String(pid), '--mount', 'mount', '-t', 'tmpfs', 'news', target]);

test.each([
  // word, is the host's news heard inside, is the container's heard on the host
  ['private', false, false],
  ['rprivate', false, false],
  [undefined, false, false],
  ['slave', true, false],
  ['rslave', true, false],
  ['shared', true, true],
  ['rshared', true, true],
])('propagation %s: heard inside %s, heard on the host %s', async (word, heardInside, heardOutside) => {
  const source = room.make('source');
  for (const name of ['hosts', 'own']) mkdirSync(join(source, name));
  const options = ['rbind', ...(word ? [word] : [])];
  const container = await room.with([{ destination: '/x', source, options }], sharedHost);
  mountIn(container.launcherPid, join(source, 'hosts'));
  mountIn(container.pid, '/x/own');
  expect(mountAt(container, '/x/hosts') !== undefined).toBe(heardInside);
  expect(mountinfo(container.launcherPid).some(({ at }) => at === join(source, 'own'))).toBe(heardOutside);
});

test('a mount below a volume that is private for itself alone still tells the host nothing', async () => {
  const source = room.make('source/below');
  mkdirSync(join(source, 'own'));
  const before = [...sharedHost, hostTmpfs(source), { ...made, path: join(source, 'own') } as const];
  for (const change of [() => {}, mapped]) {
    const container = await room.begin((spec) => {
      change(spec);
      spec.mounts?.push({
        destination: '/x',
        source: join(room.folder, 'source'),
        options: ['rbind', 'private'],
      });
    }, before);
    mountIn(container.pid, '/x/below/own');
    expect(mountinfo(container.launcherPid).some(({ at }) => at.endsWith('/own'))).toBe(false);
  }
});
const made = { at: 'host', phase: 'prepare', kind: 'mkdir', mode: 0o755 } as const;

test('unbindable: it can not be bound again', async () => {
  const container = await room.with([
    { destination: '/x', source: room.make('source'), options: ['bind', 'unbindable'] },
  ]);
  expect(mountAt(container, '/x')?.propagation).toEqual(['unbindable']);
});

test('an id map of the mount: the owner on disk is another inside, and nothing changes on disk', async () => {
  const source = room.make('source');
  writeFileSync(join(source, 'file'), '');
  chownSync(join(source, 'file'), 5, 6);
  const container = await room.with([
    {
      destination: '/x',
      source,
      options: ['bind', 'idmap'],
      uidMappings: [{ containerID: 5, hostID: 1005, size: 1 }],
      gidMappings: [{ containerID: 6, hostID: 1006, size: 1 }],
    },
  ]);
  expect(inside(container, '/x/file')).toMatchObject({ uid: 1005, gid: 1006 });
  expect(statSync(join(source, 'file'))).toMatchObject({ uid: 5, gid: 6 });
});

test('without maps of its own a mount gets those of the user namespace; only ridmap maps what is below', async (ctx) => {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  ctx.skip(major * 100 + minor < 603, 'this kernel maps no ids on a tmpfs');
  const source = room.make('source/below');
  writeFileSync(join(room.folder, 'source/file'), '');
  const before = [
    { at: 'host', phase: 'prepare', kind: 'unshare', flags: ['CLONE_NEWNS'] } as const,
    hostTmpfs(source),
  ];
  const container = await room.begin((spec) => {
    mapped(spec);
    for (const word of ['idmap', 'ridmap'])
      spec.mounts?.push({
        destination: `/${word}`,
        source: join(room.folder, 'source'),
        options: ['rbind', word],
      });
  }, before);
  const uid = (path: string) => inside(container, path).uid;
  expect(['/idmap/file', '/idmap/below', '/ridmap/file', '/ridmap/below'].map(uid)).toEqual([
    100_000, 0, 100_000, 100_000,
  ]);
});

test('in a user namespace, a volume whose folder only root may enter', async () => {
  const closed = room.make('closed/source');
  writeFileSync(join(closed, 'file'), 'text');
  chmodSync(join(room.folder, 'closed'), 0o700);
  const container = await room.begin((spec) => {
    mapped(spec);
    spec.mounts?.push({ destination: '/x', source: closed, options: ['bind', 'ro'] });
  });
  expect(readFileSync(`/proc/${container.pid}/root/x/file`, 'utf8')).toBe('text');
  expect(mountAt(container, '/x')?.options).toContain('ro');
  // The devices are the host's own, shown, as none can be made.
  expect(mountAt(container, '/dev/null')).toMatchObject({ type: 'devtmpfs', root: '/null' });
  expect(existsSync(`/proc/${container.pid}/root/dev/tty`)).toBe(true);
});
