/** podman with tslab-oci: what a container may use, read from its cgroup and from /proc on the host. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cgroupPaths, text } from '../../../../src/evidence/cgroup.ts';
import { lack, Podman, RUNC, TSLAB } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const { concurrent: together } = test;

/** A file of the container's cgroup, by v1's name or v2's. */
function limit(pid: number, controller: string, v1: string, v2: string): string | undefined {
  const paths = cgroupPaths(pid);
  const path = paths[controller];
  return path === undefined
    ? text(join('/sys/fs/cgroup', paths[''] ?? ''), v2)
    : text(join('/sys/fs/cgroup', controller, path), v1);
}
const limitsOf = (pid: number) =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/limits`, 'utf8')
      .split('\n')
      .map((line) => line.split(/ {2,}/))
      .map(([name, soft, hard]) => [name, `${soft} ${hard}`]),
  );

together('--memory, --cpus, --pids-limit; podman update changes them', async () => {
  const flags = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '55', '--cpu-shares', '512'];
  const pid = await podman.begin('small', flags);
  const memory = () => limit(pid, 'memory', 'memory.limit_in_bytes', 'memory.max');
  expect(memory()).toBe(`${64 << 20}`);
  expect(limit(pid, 'pids', 'pids.max', 'pids.max')).toBe('55');
  expect(limit(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000\b/);
  // v2's weight by the kernel documentation's old formula, or the newer one of runtimes.
  expect(limit(pid, 'cpu', 'cpu.shares', 'cpu.weight')).toMatch(/^(512|20|59)$/);
  expect((await podman.run('update', '--memory', '96m', '--cpus', '0.7', 'small')).stderr).toBe('');
  expect(memory()).toBe(`${96 << 20}`);
  expect(limit(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^70000\b/);
});

together('--cgroup-parent, and no cgroup at all', async () => {
  const pid = await podman.begin('child', ['--cgroup-parent', '/libpod_parent/tests']);
  expect(Object.values(cgroupPaths(pid)).some((path) => path.startsWith('/libpod_parent/tests/'))).toBe(true);
  const bare = await podman.begin('bare', ['--cgroups', 'disabled']);
  expect(cgroupPaths(bare)).toEqual(cgroupPaths('self'));
});

together('out of memory: killed; podman knows of it where it does with runc', async () => {
  const eats = 'x=; while :; do x="$x$(head -c 1000000 /dev/zero | tr "\\0" x)"; done';
  const eat = async (name: string, runtime: string) => {
    const flags = ['--memory', '16m', '--memory-swap', '16m', '--name', name, '--network', 'none'];
    const { status } = await podman.do(['run', ...flags, 'box', 'sh', '-c', eats], { runtime });
    return [status, await podman.inspect(name, '.State.OOMKilled')];
  };
  const ours = await eat('eater', TSLAB);
  expect(ours[0]).toBe(137);
  if (RUNC) expect(ours).toEqual(await eat('other-eater', RUNC));
});

together("--ulimit by numbers, and the host's", async () => {
  const numbers = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0:0', '--ulimit', 'nproc=60:70'];
  const limits = limitsOf(await podman.begin('numbers', numbers));
  expect(limits['Max open files']).toBe('100 200');
  expect(limits['Max processes']).toBe('60 70');
  expect(limitsOf(await podman.begin('hosts', ['--ulimit', 'host']))['Max stack size']).toBe(
    limitsOf(process.pid)['Max stack size'],
  );
});

together('--device: it is there, and its rights are those asked for', async (ctx) => {
  const flags = ['--device', '/dev/full:/dev/mine:r'];
  const script = 'head -c 3 /dev/mine | wc -c; echo x >/dev/mine';
  const { stdout, stderr } = await podman.box(...flags, 'box', 'sh', '-c', script);
  expect(stdout).toBe('3\n');
  // The default rules of all runtimes let /dev/full be written to, whatever the name.
  expect(stderr).toMatch(/No space left|not permitted/);
  const other = statSync('/dev/fuse', { throwIfNoEntry: false });
  ctx.skip(other === undefined, 'needs /dev/fuse');
  const fuse = await podman.box(
    '--device',
    '/dev/fuse:/dev/f:r',
    'box',
    'sh',
    '-c',
    'ls -l /dev/f; : >/dev/f',
  );
  expect(fuse.stdout).toMatch(/^crw.* 10, 229 /);
  expect(fuse.stderr).toContain('Operation not permitted');
});

together('--sysctl', async () => {
  const flags = ['--sysctl', 'kernel.msgmax=9000', '--sysctl', 'net.ipv4.ip_forward=1'];
  const files = ['/proc/sys/kernel/msgmax', '/proc/sys/net/ipv4/ip_forward'];
  expect((await podman.box(...flags, 'box', 'cat', ...files)).stdout).toBe('9000\n1\n');
});

together('--oom-score-adj', async () => {
  const pid = await podman.begin('score', ['--oom-score-adj', '600']);
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('600\n');
});
