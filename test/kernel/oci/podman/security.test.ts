/** podman with tslab-oci: rights given and taken, as the kernel has them; where it is cheap, beside runc. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lack, Podman, RUNC, statusOf } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const { concurrent: together } = test;
const read = ['box', 'grep', '-E', '^(Cap|Seccomp|NoNewPrivs|Groups|Uid)', '/proc/self/status'];

together.each<[string[]]>([
  [[]],
  [['--cap-drop', 'all', '--cap-add', 'net_raw']],
  [['--cap-add', 'NET_ADMIN', '--cap-drop', 'CHOWN']],
  [['--cap-drop', 'all', '--cap-add', 'net_raw', '--user', '1000']],
  [['--user', '1000:33', '--group-add', '7']],
  [['--privileged']],
  [['--security-opt', 'seccomp=unconfined']],
  [['--security-opt', 'no-new-privileges']],
])('rights with %j are those under runc', async (flags) => {
  const ours = await podman.box(...flags, ...read);
  expect(ours).toMatchObject({ status: 0, stderr: '' });
  if (!RUNC) return;
  const words = ['run', '--rm', '--network', 'none', ...flags, ...read];
  expect(ours.stdout).toBe((await podman.do(words, { runtime: RUNC })).stdout);
});

together('--security-opt seccomp=FILE', async () => {
  const file = join(podman.folder, 'profile.json');
  const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 };
  writeFileSync(file, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }));
  const { stderr, status } = await podman.box('--security-opt', `seccomp=${file}`, 'box', 'mkdir', '/x');
  expect(stderr).toContain('No space left on device');
  expect(status).toBe(1);
});

together('mask and unmask', async () => {
  const masked = await podman.box('--security-opt', 'mask=/etc/passwd', 'box', 'wc', '-c', '/etc/passwd');
  expect(masked.stdout).toBe('0 /etc/passwd\n');
  const count = ['box', 'grep', '-c', ' /proc/', '/proc/self/mountinfo'];
  expect((await podman.box('--security-opt', 'unmask=ALL', ...count)).stdout).toBe('0\n');
  expect(Number((await podman.box(...count)).stdout)).toBeGreaterThan(3);
});

together('--privileged: mounts, devices, all that this root has', async () => {
  const script =
    'mount -t tmpfs t /mnt && echo mounted; test -e /dev/kmsg && echo devices; touch /proc/sys/kernel/hostname && echo sys';
  expect((await podman.box('--privileged', 'box', 'sh', '-c', script)).stdout).toBe(
    'mounted\ndevices\nsys\n',
  );
  const pid = await podman.begin('mighty', ['--privileged']);
  expect(statusOf(pid, 'CapEff')).toBe(statusOf(process.pid, 'CapBnd'));
});

together('what is forbidden by default', async () => {
  const tries = [
    'mount -t tmpfs t /mnt',
    'hostname x',
    'mknod /x b 8 0 && head -c 1 /x',
    'echo 1 >/proc/sys/kernel/panic',
    'ls /proc/kcore && head -c 1 /proc/kcore | grep -q .',
    'touch /sys/x',
  ];
  const script = tries.map((command) => `(${command}) >/dev/null 2>&1 && echo '${command}'`).join('; ');
  expect((await podman.box('box', 'sh', '-c', `${script}; true`)).stdout).toBe('');
});
