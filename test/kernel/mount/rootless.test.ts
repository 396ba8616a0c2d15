/** The same for an ordinary user: a user namespace of one's own, in which the host's flags are locked (mount_namespaces(7)). */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseMountinfo } from '../../../src/evidence/mountinfo.ts';
import { defaultSpec, planFor, probe, type Spec } from '../../../src/index.ts';
import { encode } from '../../../src/plan/encode.ts';
import { launcher } from '../../support/launcher.ts';
import { Room } from '../../support/room.ts';

const NOBODY = 65534;
let room: Room;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root, to become an ordinary user');
  room = new Room();
  chmodSync(room.folder, 0o755);
  chownSync(room.rootfs, NOBODY, NOBODY);
});
afterEach(() => room?.[Symbol.asyncDispose]());

/** Runs a plan as nobody, in a mount namespace that some commands have prepared as root. */
function asNobody(script: string, change: (spec: Spec) => void, prepare = ':') {
  const spec = defaultSpec({ args: ['sh', '-c', script], rootfs: room.rootfs });
  const own = [{ containerID: 0, hostID: NOBODY, size: 1 }];
  spec.linux = { ...spec.linux, uidMappings: own, gidMappings: own };
  spec.linux.namespaces?.push({ type: 'user' });
  change(spec);
  const plan = planFor('rootless', spec, { ...probe(), uid: NOBODY, gid: NOBODY, capabilities: [] });
  const file = join(room.folder, 'plan');
  writeFileSync(file, encode(plan));
  const command = `${prepare}; exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups ${launcher} --plan ${file}`;
  return spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', command], {
    encoding: 'utf8',
  });
}
const volume = (...options: string[]) => ({ destination: '/x', source: room.make('source'), options });
const locked = () => `mount -t tmpfs -o nosuid,nodev,noexec tmpfs ${room.make('source')}`;
const list = 'cat /proc/self/mountinfo';

test('a container with devices, masks, a volume', () => {
  const { stdout, stderr } = asNobody(`${list}; echo x >/dev/null && echo null`, (spec) => {
    spec.mounts?.push(volume('rbind', 'ro'));
  });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^null$/m);
  const entries = parseMountinfo(stdout.replace(/null\n$/, ''));
  expect(entries.find(({ at }) => at === '/x')?.options).toContain('ro');
  expect(entries.find(({ at }) => at === '/dev/null')?.root).toBe('/null');
  expect(entries.findLast(({ at }) => at === '/proc/sys')?.options).toContain('ro');
});

test('a read-only volume of a source with locked flags has them still', () => {
  const change = (spec: Spec) => void spec.mounts?.push(volume('bind', 'ro', 'rw', 'ro'));
  const { stdout, stderr } = asNobody(list, change, locked());
  expect(stderr).toBe('');
  const options = parseMountinfo(stdout).find(({ at }) => at === '/x')?.options;
  expect(options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec']));
});

test('to ask a locked flag away is an error that names the step', () => {
  const change = (spec: Spec) => void spec.mounts?.push(volume('bind', 'exec'));
  const { status, stderr } = asNobody(list, change, locked());
  expect(status).toBe(125);
  expect(stderr).toMatch(/mount_setattr.*EPERM/);
});

test('a read-only rootfs on a file system with locked flags', () => {
  const bind = `mount --bind ${room.rootfs} ${room.rootfs} && mount -o remount,bind,nosuid,nodev ${room.rootfs}`;
  const change = (spec: Spec) => {
    spec.root = { path: room.rootfs, readonly: true };
  };
  const { stdout, stderr } = asNobody(list, change, bind);
  expect(stderr).toBe('');
  const options = parseMountinfo(stdout).find(({ at }) => at === '/')?.options;
  expect(options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
});

test('devices of the config are the host’s, if they are what they are said to be', () => {
  const device = (minor: number) => (spec: Spec) => {
    spec.linux = { ...spec.linux, devices: [{ type: 'c', path: '/dev/full', major: 1, minor }] };
  };
  expect(asNobody('ls -l /dev/full', device(7)).stdout).toMatch(/1, +7/);
  expect(asNobody('true', device(5)).stderr).toMatch(/verify.*ENXIO/);
});

test('the host’s news comes in for a slave volume only, and none goes out', () => {
  const change = (spec: Spec) => {
    spec.mounts?.push(volume('rbind', 'rslave'), { ...volume('rbind'), destination: '/y' });
  };
  const share = `mount --make-rshared /; mkdir -p ${room.folder}/source/below`;
  const { stdout, stderr } = asNobody(list, change, share);
  expect(stderr).toBe('');
  const tags = (path: string) => parseMountinfo(stdout).find(({ at }) => at === path)?.propagation;
  expect(tags('/x')).toEqual([expect.stringMatching(/^master:/)]);
  expect(tags('/y')).toEqual([]);
});
