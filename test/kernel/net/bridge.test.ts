/** Containers on a bridge, seen from a network that plays the host's, and from one beyond it. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan } from '../../../src/plan/step.ts';
import { HOST, HostNetwork, NO_TRANSLATION, stop, translatesAddresses } from '../../support/host-network.ts';
import { Launch, launcher, Scratch } from '../../support/launcher.ts';

let host: HostNetwork;
let before: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ctx.skip(!translatesAddresses, NO_TRANSLATION);
  host = new HostNetwork();
  before = host.state();
});
afterEach(async () => {
  await host?.[Symbol.asyncDispose]();
});

const web = (text: string) =>
  `mkdir /www; echo ${text} >/www/index.html; echo ready; exec httpd -f -p 80 -h /www`;
const get = (where: string) => `timeout 5 busybox wget -q -O - http://${where}/`;
const addressOf = (name: string): string => {
  const states = JSON.parse(host.tslab('ps', '--json').stdout) as {
    id: string;
    spec: { annotations: Record<string, string> };
  }[];
  return states.find(({ id }) => id === name)?.spec.annotations['org.tslab.network.address'] ?? 'none';
};
const settled = async () => {
  for (let tries = 0; tries < 50 && host.state() !== before; tries++)
    await new Promise((done) => setTimeout(done, 50));
  return host.state();
};

test('two containers on port 80 each are told apart by the host, the world and each other', async () => {
  const [one, two] = [`net-one-${process.pid}`, `net-two-${process.pid}`];
  await host.start('--name', one, '-p', '8081:80', '--', 'sh', '-c', web('one'));
  await host.start('--name', two, '-p', '8082:80', '-p', '127.0.0.1:8083:80', '--', 'sh', '-c', web('two'));
  const [first, second] = [addressOf(one), addressOf(two)];
  expect(first).not.toBe(second);

  expect(host.sh(get(first))).toBe('one\n');
  expect(host.sh(get('127.0.0.1:8081'))).toBe('one\n');
  expect(host.sh(get('127.0.0.1:8083'))).toBe('two\n');
  expect(host.sh(get(`${HOST}:8082`))).toBe('two\n');
  expect(host.outside(get(`${HOST}:8081`))).toBe('one\n');
  expect(host.outside(get(`${HOST}:8082`))).toBe('two\n');
  // Published on 127.0.0.1 only.
  expect(() => host.outside(get(`${HOST}:8083`))).toThrow();

  const fromOne = (where: string) => host.tslab('exec', one, 'sh', '-c', get(where)).stdout;
  expect(fromOne(second)).toBe('two\n');
  expect(fromOne(`${HOST}:8082`)).toBe('two\n');
  expect(fromOne(`${HOST}:8081`)).toBe('one\n'); // itself, by way of the host
  // The first to go leaves the bridge to the other; the last one takes it along.
  await stop(await host.start('--network', 'bridge', '--', 'sh', '-c', 'echo ready; exec sleep 100'));
  expect(host.sh(get('127.0.0.1:8081'))).toBe('one\n');
  await host.stopAll();
  expect(await settled()).toBe(before);
});

test('a container reaches the world, whose answers find back', async () => {
  host.outside('(echo world | busybox nc -l -p 9000 >/dev/null 2>&1 &)');
  const ran = host.tslab(
    'run',
    '--network',
    'bridge',
    '--',
    'sh',
    '-c',
    'nc -w 3 192.0.2.2 9000 </dev/null; cat /proc/sys/net/ipv4/ping_group_range',
  );
  expect(ran.stdout).toMatch(/^world\n/);
  expect(ran.stderr).toMatch(/ip_forward was 0/);
  expect(ran.stdout).toMatch(/^0\s+2147483647$/m);
  expect(await settled()).toBe(before);
});

test('it knows its name and whom to ask, and its rootfs is as it was', () => {
  const ran = host.tslab(
    ...['run', '--network', 'bridge', '--hostname', 'web', '--', 'sh', '-c'],
    'cat /etc/hosts /etc/hostname; grep -c . /etc/resolv.conf; ip route; cat /sys/class/net/eth0/address; grep -c /tmp /proc/mounts',
  );
  expect(ran.stdout).toMatch(/^127\.0\.0\.1\tlocalhost\n/);
  expect(ran.stdout).toMatch(/^10\.77\.\d+\.\d+\tweb\nweb\n/m);
  expect(ran.stdout).toMatch(/^default via 10\.77\.0\.1 dev eth0/m);
  expect(ran.stdout).toMatch(/^02:74:0a:4d:..:..\n0\n$/m);
});

test('a port that is taken, by the host or by a container, is an error that says so', async () => {
  await host.start('-p', '8081:80', '--', 'sh', '-c', web('one'));
  const again = host.tslab('run', '-p', '8081:80', '--', 'true');
  expect(again.status).toBe(125);
  expect(again.stderr).toMatch(/annotations\[org.tslab.network.publish\][\s\S]*leads into another container/);
  expect(host.sh(get('127.0.0.1:8081'))).toBe('one\n');
  const server = await host.start('--network', 'host', '--', 'sh', '-c', 'echo ready; exec httpd -f -p 8099');
  await new Promise((done) => setTimeout(done, 200));
  expect(host.tslab('run', '-p', '8099:80', '--', 'true').stderr).toMatch(/listens on port 8099 already/);
  await stop(server);
});

test('many at once each get an address of their own', async () => {
  const names = Array.from({ length: 6 }, (_, i) => `net-many-${process.pid}-${i}`);
  await Promise.all(
    names.map((name) =>
      host.start('--name', name, '--network', 'bridge', '--', 'sh', '-c', 'echo ready; exec sleep 100'),
    ),
  );
  const addresses = names.map(addressOf);
  expect(new Set(addresses).size).toBe(names.length);
  for (const address of addresses) host.sh(`busybox ping -c 1 -W 2 ${address}`);
  await host.stopAll();
  expect(await settled()).toBe(before);
});

test('container:NAME has the same links, address and ports', async () => {
  const one = `net-one-${process.pid}`;
  await host.start('--name', one, '--network', 'bridge', '--', 'sh', '-c', web('one'));
  const joined = host.tslab(
    'run',
    '--network',
    `container:${one}`,
    '--',
    'sh',
    '-c',
    `${get('127.0.0.1')}; cat /etc/hosts`,
  );
  expect(joined.stderr).toBe('');
  expect(joined.stdout).toMatch(/^one\n/);
  expect(joined.stdout).toMatch(new RegExp(`^${addressOf(one)}\ttslab$`, 'm'));
});

test('killed at any of its host steps, the launcher leaves nothing that its ledger does not take back', async () => {
  const flags = ['--network', 'bridge', '-p', '8081:80'];
  const plan = JSON.parse(host.tslab('plan', '--json', ...flags, '--', 'sleep', '100').stdout) as Plan;
  const stops = plan.steps.flatMap((step, i) =>
    step.at === 'host' && step.phase === 'network' ? [i, i + 1] : [],
  );
  expect(stops.length).toBeGreaterThan(15);
  for (const at of [...new Set(stops), plan.steps.length]) {
    using scratch = new Scratch();
    const ledger = scratch.path('ledger');
    const launch = new Launch(plan.steps, ['--ledger', ledger, '--step'], 'ignore', host.enter);
    for (let step = 0; step < at; step++) {
      await launch.until('at', step + 1);
      launch.send('go');
    }
    await (at < plan.steps.length ? launch.until('at', at + 1) : launch.until('running'));
    launch.process.kill('SIGKILL');
    await launch.exit;
    const [command = '', ...args] = [...host.enter, launcher, '--undo', ledger];
    const undone = spawnSync(command, args, { encoding: 'utf8' });
    expect(`${at}: ${undone.stderr}`).toBe(`${at}: `);
    expect(`${at}: ${await settled()}`).toBe(`${at}: ${before}`);
  }
});

test('nothing of it is left in the state folder', () => {
  const left = (() => {
    try {
      return readdirSync('/run/tslab');
    } catch {
      return [];
    }
  })();
  expect(left.filter((name) => name.includes(`net-`) || name === 'ip_forward')).toEqual([]);
  expect(readFileSync('/proc/self/net/dev', 'utf8')).not.toMatch(/tslab0/);
});
