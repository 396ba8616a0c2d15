/** An ordinary user's podman with tslab-oci: no power of root's, and a namespace of their own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { OrdinaryUser, RANGE, UID } from '../../../support/ordinary-user.ts';
import { alive, lack, Podman, RUNC, TSLAB } from '../../../support/podman.ts';

let podman: Podman;
let user: OrdinaryUser | undefined;
beforeAll(async () => {
  if (lack) return;
  user = new OrdinaryUser();
  if (user.mayRun) podman = await new Podman(user).import();
}, 30_000);
beforeEach((ctx) => {
  ctx.skip(lack !== undefined, lack);
  ctx.skip(!user?.mayRun, 'an ordinary user may not enter this checkout');
});
afterAll(async () => {
  await podman?.[Symbol.asyncDispose]();
  user?.[Symbol.dispose]();
});

const { concurrent: together } = test;
const map = async (...flags: string[]) => {
  const { stdout } = await podman.box(...flags, 'box', 'sh', '-c', 'id -u; cat /proc/self/uid_map');
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/).map(Number));
};

together('run: output, status, root inside and nobody in particular outside', async () => {
  expect(await podman.box('box', 'sh', '-c', 'echo out; id -u; exit 7')).toMatchObject({
    status: 7,
    stdout: 'out\n0\n',
  });
  const pid = await podman.begin('seen');
  expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/).map(Number)).toEqual([
    ...[0, UID, 1],
    ...[1, RANGE.first, RANGE.count],
  ]);
  expect((await podman.sh(['ls', '/run/tslab-oci'])).status).not.toBe(0);
});

together('--userns host, keep-id, nomap, auto', async () => {
  expect(await map('--userns', 'host')).toEqual([[0], [0, UID, 1], [1, RANGE.first, RANGE.count]]);
  // Inside: numbers of the engine's own namespace, where 0 is the user and 1 the first of the range.
  expect((await map('--userns', 'keep-id'))[0]).toEqual([UID]);
  expect((await map('--userns', 'nomap'))[1]?.slice(0, 2)).toEqual([0, 1]);
  expect((await map('--userns', 'auto'))[1]?.slice(0, 2)).toEqual([0, 1]);
});

together('in the background: exec, logs, top, stop, rm', async () => {
  const pid = await podman.begin(
    'web',
    [],
    ['sh', '-c', 'echo up; trap "exit 3" TERM; while :; do sleep 0.05; done'],
  );
  await expect.poll(async () => (await podman.run('logs', 'web')).stdout).toBe('up\n');
  const exec = await podman.run('exec', '--user', '1000', 'web', 'sh', '-c', 'id -u; exit 9');
  expect(exec).toMatchObject({ status: 9, stdout: '1000\n' });
  expect((await podman.run('top', 'web', 'pid', 'args')).stdout).toMatch(/^1\s+sh -c echo up/m);
  expect((await podman.run('cp', '/etc/hostname', 'web:/copied')).status).toBe(0);
  expect((await podman.run('exec', 'web', 'cat', '/copied')).stdout).toBe(
    readFileSync('/etc/hostname', 'utf8'),
  );
  expect((await podman.run('stop', '--time', '10', 'web')).stderr).toBe('');
  expect(await podman.inspect('web', '.State.ExitCode')).toBe('3');
  expect((await podman.run('rm', 'web')).status).toBe(0);
  expect(alive(pid)).toBe(false);
});

together('a terminal', async () => {
  const keys = [[1500, 'tty; id -u; exit 5\n']] as const;
  const words = ['run', '--rm', '--interactive', '--tty', '--network', 'none', 'box', 'sh'];
  const { status, stdout } = await podman.do(words, { keys });
  expect(stdout).toMatch(/\/dev\/pts\/0\r\n0\r\n/);
  expect(status).toBe(5);
});

together('capabilities, seccomp, read-only, volumes, devices', async () => {
  const flags = ['--read-only', '--cap-drop', 'all', '--cap-add', 'net_raw', '--volume', '/etc:/mnt:ro'];
  const script =
    'grep -E "^(CapEff|Seccomp):" /proc/self/status; touch /x 2>&1; head -n 1 /mnt/passwd; echo x >/dev/full';
  const { stdout, stderr } = await podman.box(...flags, 'box', 'sh', '-c', script);
  expect(stdout).toMatch(/^CapEff:\t0000000000002000\nSeccomp:\t2\ntouch: .*Read-only.*\nroot:/);
  expect(stderr).toContain('No space left');
});

together('--privileged is all that a user can have', async () => {
  const script = 'mount -t tmpfs t /mnt && echo mounted; grep CapEff /proc/self/status';
  const { stdout } = await podman.box('--privileged', 'box', 'sh', '-c', script);
  expect(stdout).toMatch(/^mounted\nCapEff:\t0{4,}1ff[0-9a-f]{8}\n$/);
});

together('limits need a delegated cgroup: with them it goes as with runc', async (ctx) => {
  ctx.skip(!RUNC, 'needs runc');
  const words = ['run', '--rm', '--network', 'none', '--memory', '64m', 'box', 'true'];
  const [ours, theirs] = [
    await podman.do(words, { runtime: TSLAB }),
    await podman.do(words, { runtime: RUNC }),
  ];
  expect(ours.status).toBe(theirs.status);
});

together('build, with a user and files of theirs', async () => {
  const lines = ['FROM box', 'RUN touch /a && chown 1000 /a', 'USER 1000', 'RUN id -u >/tmp/me'];
  const file = join(podman.folder, 'Containerfile');
  writeFileSync(file, lines.join('\n'));
  const words = [
    'build',
    '--isolation',
    'oci',
    '--network',
    'none',
    '--tag',
    'built',
    '--file',
    file,
    '/etc/dpkg/origins',
  ];
  const built = await podman.run(...words);
  expect(built, built.stderr).toMatchObject({ status: 0 });
  expect((await podman.box('built', 'sh', '-c', 'cat /tmp/me; stat -c %u /a')).stdout).toBe('1000\n1000\n');
});

together('a pod', async () => {
  const infra = ['--infra-image', 'box', '--infra-command', '/bin/sleep 1000', '--network', 'none'];
  const made = await podman.run('pod', 'create', '--name', 'p', ...infra);
  expect(made, made.stderr).toMatchObject({ status: 0 });
  const said = await podman.run('run', '--rm', '--pod', 'p', 'box', 'ls', '/sys/class/net');
  expect(said).toMatchObject({ status: 0, stdout: 'lo\n' });
  expect((await podman.run('pod', 'rm', '--force', '--time', '0', 'p')).status).toBe(0);
});

together('a network by slirp4netns', async (ctx) => {
  ctx.skip((await podman.sh(['which', 'slirp4netns'])).status !== 0, 'needs slirp4netns');
  const { stdout, stderr } = await podman.run('run', '--rm', 'box', 'ip', '-4', 'addr', 'show', 'tap0');
  expect(stdout, stderr).toContain('10.0.2.100/24');
});
