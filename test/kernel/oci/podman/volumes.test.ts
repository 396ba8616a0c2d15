/** podman with tslab-oci: root file systems, volumes, tmpfs. */
import { existsSync, mkdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { mountinfo } from '../../../../src/evidence/mountinfo.ts';
import { lack, Podman } from '../../../support/podman.ts';

let podman: Podman;
let folder: string;
beforeAll(async () => {
  if (lack) return;
  podman = await new Podman().import();
  folder = join(podman.folder, 'shared');
  mkdirSync(folder);
  writeFileSync(join(folder, 'there'), 'outside\n');
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const { concurrent: together } = test;

together('--read-only: nothing but its tmpfs mounts can be written to', async () => {
  const script = 'touch /x; touch /tmp/x /run/x && echo written';
  const { stdout, stderr } = await podman.box('--read-only', 'box', 'sh', '-c', script);
  expect(stderr).toContain('/x: Read-only file system');
  expect(stdout).toBe('written\n');
});

together('--tmpfs with its options', async () => {
  const pid = await podman.begin('mem', ['--tmpfs', '/t:size=1m,mode=1777,noexec']);
  const mount = mountinfo(pid).find(({ at }) => at === '/t');
  expect(mount).toMatchObject({ type: 'tmpfs' });
  expect(mount?.options).toContain('noexec');
  expect(statfsSync(`/proc/${pid}/root/t`)).toMatchObject({ bsize: 4096, blocks: 256 });
  expect(statSync(`/proc/${pid}/root/t`).mode & 0o7777).toBe(0o1777);
});

together('a volume: read and written, read only, with a label that no module asks for', async () => {
  const write = ['box', 'sh', '-c', 'cat /v/there; echo inside >/v/new'];
  expect((await podman.box('--volume', `${folder}:/v:z`, ...write)).stdout).toBe('outside\n');
  expect(readFileSync(join(folder, 'new'), 'utf8')).toBe('inside\n');
  const { stdout, stderr } = await podman.box(
    '-v',
    `${folder}:/v:ro`,
    'box',
    'sh',
    '-c',
    'cat /v/there; touch /v/no',
  );
  expect(stdout).toBe('outside\n');
  expect(stderr).toContain('Read-only file system');
  expect(existsSync(join(folder, 'no'))).toBe(false);
});

together('a named volume outlives its containers', async () => {
  await podman.box('--volume', 'kept:/v', 'box', 'sh', '-c', 'echo 1 >/v/file');
  expect((await podman.box('--volume', 'kept:/v', 'box', 'cat', '/v/file')).stdout).toBe('1\n');
  expect((await podman.run('volume', 'rm', 'kept')).status).toBe(0);
});

together.each(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'])(
  'a bind with propagation %s',
  async (propagation) => {
    const mount = `type=bind,src=${folder},dst=/v,bind-propagation=${propagation}`;
    expect((await podman.box('--mount', mount, 'box', 'cat', '/v/there')).stdout).toBe('outside\n');
  },
);

together('--volume …:U gives it to the ids of the container', async () => {
  const mine = join(podman.folder, 'mine');
  mkdirSync(mine);
  const map = ['--uidmap', '0:100000:5000', '--gidmap', '0:200000:5000', '--user', '7:8'];
  const look = ['box', 'stat', '-c', '%u:%g', '/v'];
  expect((await podman.box(...map, '--volume', `${mine}:/v:U`, ...look)).stdout).toBe('7:8\n');
  expect(statSync(mine)).toMatchObject({ uid: 100_007, gid: 200_008 });
});

together('a volume over a symlink in the image lands where that points, in the container', async () => {
  const { stdout } = await podman.box('--volume', `${folder}:/var/run/v`, 'box', 'cat', '/var/run/v/there');
  expect(stdout).toBe('outside\n');
});
