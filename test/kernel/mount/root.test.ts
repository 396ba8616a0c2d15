/** root, rootfsPropagation and linux.namespaces[mount]: config.md "Root", config-linux.md "Namespaces", "Rootfs Mount Propagation". */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountinfo } from '../../../src/evidence/mountinfo.ts';
import { processes } from '../../../src/evidence/process.ts';
import type { Spec } from '../../../src/index.ts';
import { NO_PIVOT_ANNOTATION } from '../../../src/oci/annotations.ts';
import { hostTmpfs, mountAt, Room, sharedHost } from '../../support/room.ts';

let room: Room;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  room = new Room();
});
afterEach(() => room?.[Symbol.asyncDispose]());

type Propagation = 'private' | 'slave' | 'shared' | 'unbindable';
const spreading = (rootfsPropagation: Propagation | undefined) => (spec: Spec) => {
  if (rootfsPropagation) spec.linux = { ...spec.linux, rootfsPropagation };
};
const mountIn = (pid: number, target: string) =>
  execFileSync('nsenter', ['--target', String(pid), '--mount', 'mount', '-t', 'tmpfs', 'news', target]);
const hostsGroups = (pid: number) => mountinfo(pid).flatMap(({ propagation }) => propagation);

test.each<[Propagation | undefined, RegExp]>([
  [undefined, /^$/],
  ['private', /^$/],
  ['slave', /^master:\d+$/],
  ['shared', /^shared:\d+$/],
  ['unbindable', /^unbindable$/],
])('rootfsPropagation %s', async (word, tags) => {
  mkdirSync(join(room.rootfs, 'mnt/hosts'), { recursive: true });
  const container = await room.begin(spreading(word), sharedHost);
  const root = mountAt(container, '/');
  expect(root?.propagation.join(' ')).toMatch(tags);
  // A peer group of its own: none that the host has.
  if (word === 'shared') expect(hostsGroups(container.launcherPid)).not.toContain(root?.propagation[0]);
  // Whatever it is, nothing that we or the container mount is the host's.
  mountIn(container.pid, '/root');
  expect(mountinfo(container.launcherPid).filter(({ at }) => at.startsWith(room.folder))).toEqual([]);
  mountIn(container.launcherPid, join(room.rootfs, 'mnt/hosts'));
  expect(mountAt(container, '/mnt/hosts') !== undefined).toBe(word === 'slave');
});

test('a volume that hears the host does not make the rootfs hear it', async () => {
  const change = (spec: Spec) => {
    spec.mounts?.push({ destination: '/x', source: room.make('source'), options: ['rbind', 'rslave'] });
  };
  const container = await room.begin(change, sharedHost);
  expect(mountAt(container, '/')?.propagation).toEqual([]);
  expect(mountAt(container, '/x')?.propagation).toEqual([expect.stringMatching(/^master:/)]);
});

test('readonly is the rootfs alone: what is mounted below keeps its own', async () => {
  const before = [
    { at: 'host', phase: 'prepare', kind: 'unshare', flags: ['CLONE_NEWNS'] } as const,
    hostTmpfs(join(room.rootfs, 'mnt')),
  ];
  const container = await room.begin((spec) => {
    spec.root = { path: room.rootfs, readonly: true };
    spec.mounts?.push({ destination: '/opt', source: room.make('source'), options: ['bind'] });
  }, before);
  const state = (at: string) => mountAt(container, at)?.options[0];
  expect(['/', '/mnt', '/opt', '/dev', '/proc'].map(state)).toEqual(['ro', 'rw', 'rw', 'rw', 'rw']);
  writeFileSync(join(room.rootfs, 'file'), '');
});

test('a rootfs that is a mount itself, with flags: they stay', async () => {
  const path = room.rootfs;
  const here = { at: 'host', phase: 'prepare', kind: 'mount', target: path } as const;
  const before = [
    { at: 'host', phase: 'prepare', kind: 'unshare', flags: ['CLONE_NEWNS'] } as const,
    { ...here, source: path, flags: ['MS_BIND'] } as const,
    { ...here, flags: ['MS_REMOUNT', 'MS_BIND', 'MS_NOSUID', 'MS_NODEV'] } as const,
  ];
  const container = await room.begin((spec) => {
    spec.root = { path, readonly: true };
  }, before);
  expect(mountAt(container, '/')?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
});

test('without pivot_root: the rootfs is moved onto /', async () => {
  const script =
    'ls -di /; cat /etc/hostname; ls /../..; unshare -Urmpf mount -t proc proc /proc && echo revealed';
  const said = await room.say(script, (spec) => {
    spec.annotations = { [NO_PIVOT_ANNOTATION]: 'true' };
  });
  expect(said).toContain(`${statSync(room.rootfs).ino} /`);
  expect(said).toContain('busybox\n');
  expect(said).not.toContain('work');
  expect(said).not.toContain('revealed');
});

test('a mount namespace with a path is joined: the rootfs is found and mounted in there, and its root is left alone', async () => {
  const host = spawn('unshare', [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    'echo in; exec sleep 100',
  ]);
  try {
    await new Promise((ready) => host.stdout.once('data', ready));
    const path = `/proc/${host.pid}/ns/mnt`;
    const before = mountinfo(host.pid ?? 0).filter(({ at }) => at === '/');
    const container = await room.begin((spec) => {
      spec.linux = {
        ...spec.linux,
        namespaces: (spec.linux?.namespaces ?? []).map(({ type }) =>
          type === 'mount' ? { type, path } : { type },
        ),
      };
      spec.mounts?.push({ destination: '/x', source: room.make('source'), options: ['bind'] });
    });
    expect(readlinkSync(`/proc/${container.pid}/ns/mnt`)).toBe(readlinkSync(path));
    expect(statSync(`/proc/${container.pid}/root/`).ino).toBe(statSync(room.rootfs).ino);
    expect(mountinfo(container.pid).some(({ at }) => at === '/x')).toBe(true);
    expect(processes(`/proc/${container.pid}/root/proc`)).toEqual([1]);
    expect(mountinfo(host.pid ?? 0).filter(({ at }) => at === '/')).toEqual(before);
  } finally {
    host.kill('SIGKILL');
    await new Promise((done) => host.once('close', done));
  }
});

test('a path that is of another type of namespace is an error', async () => {
  const { message } = await room.refusal((spec) => {
    spec.linux = {
      ...spec.linux,
      namespaces: [{ type: 'uts' }, { type: 'mount', path: '/proc/self/ns/net' }],
    };
  });
  expect(message).toMatch(/setns\(ns-mount, CLONE_NEWNS\): EINVAL .*, .*linux\.namespaces/);
});
