/** podman with tslab-oci: what it hands over as a network is what the container has. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lack, Podman } from '../../../support/podman.ts';

const bridges = ['iptables', '/usr/lib/podman/netavark'].every(
  (name) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${name}`]).status === 0,
);
let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const links = ['box', 'ls', '/sys/class/net'];

test('none: the loopback alone', async () => {
  expect((await podman.box(...links)).stdout).toBe('lo\n');
});

test("host: the links of the engine's own network", async () => {
  await podman.sh(['ip', 'link', 'add', 'mine', 'type', 'veth', 'peer', 'name', 'other']);
  const { stdout } = await podman.run('run', '--rm', '--network', 'host', ...links);
  expect(stdout).toMatch(/^lo\nmine\nother\n$/);
});

test('bridge: an address, a way out, and a published port', async (ctx) => {
  ctx.skip(!bridges, 'needs netavark and iptables');
  const serve = 'mkdir /w; echo served >/w/index.html; exec httpd -f -p 80 -h /w';
  const flags = ['--detach', '--name', 'web', '--network', 'bridge', '--publish', '8088:80'];
  const begun = await podman.run('run', ...flags, 'box', 'sh', '-c', serve);
  ctx.skip(
    /iptables|nf_tables|netavark/.test(begun.stderr),
    `this kernel gives netavark no firewall: ${begun.stderr}`,
  );
  expect(begun).toMatchObject({ status: 0 });
  const address = await podman.inspect('web', '.NetworkSettings.IPAddress');
  expect((await podman.run('exec', 'web', 'ip', '-4', 'addr', 'show', 'eth0')).stdout).toContain(address);
  const get = (where: string) => podman.sh(['busybox', 'wget', '-q', '-O', '-', `http://${where}/`]);
  await expect.poll(async () => (await get(address)).stdout, { timeout: 5000 }).toBe('served\n');
  expect((await get('127.0.0.1:8088')).stdout).toBe('served\n');
  const other = await podman.run(
    'run',
    '--rm',
    '--network',
    'bridge',
    'box',
    'wget',
    '-q',
    '-O',
    '-',
    `http://${address}/`,
  );
  expect(other.stdout).toBe('served\n');
  expect((await podman.run('rm', '--force', '--time', '0', 'web')).status).toBe(0);
  expect((await podman.sh(['ip', 'link', 'show', 'type', 'veth'])).stdout).not.toContain('podman');
});

test('--hostname, --add-host, --dns', async (ctx) => {
  ctx.skip(!bridges, 'needs netavark and iptables');
  const flags = ['--hostname', 'me', '--add-host', 'a.b:1.2.3.4', '--dns', '9.9.9.9', '--dns-search', 'q.z'];
  const script = 'hostname; cat /etc/hosts /etc/resolv.conf';
  const { stdout } = await podman.run('run', '--rm', ...flags, 'box', 'sh', '-c', script);
  expect(stdout).toMatch(/^me\n/);
  expect(stdout).toMatch(/1\.2\.3\.4\s+a\.b$/m);
  expect(stdout).toMatch(/^nameserver 9\.9\.9\.9$/m);
  expect(stdout).toMatch(/^search q\.z$/m);
});
