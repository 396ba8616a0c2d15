/** The host's network, where a container is on no bridge. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan } from '../../../src/plan/step.ts';
import { HostNetwork, translatesAddresses } from '../../support/host-network.ts';
import { Scratch } from '../../support/launcher.ts';

let host: HostNetwork;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  host = new HostNetwork();
});
afterEach(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('a link of the host becomes the container’s, with its addresses', () => {
  host.sh(
    'ip link add phys0 type veth peer name phys1; ip link set phys1 up; ip address add 198.51.100.7/24 dev phys0; ip link set phys0 mtu 1400 up',
  );
  const script = 'ip -o address show dev wan0; cat /sys/class/net/wan0/mtu';
  const plain = JSON.parse(host.tslab('plan', '--json', '--', 'true').stdout) as Plan;
  expect(JSON.stringify(plain)).not.toMatch(/wan0/);
  const config = `import { defaultSpec, start } from '${process.cwd()}/src/index.ts';
    const spec = defaultSpec({ args: ['sh', '-c', ${JSON.stringify(script)}], rootfs: '${process.cwd()}/dist/rootfs/default' });
    spec.linux.netDevices = { phys0: { name: 'wan0' } };
    process.exitCode = (await (await start(spec)).exit).code;`;
  using scratch = new Scratch();
  const file = scratch.path('run.ts');
  spawnSync('tee', [file], { input: config });
  const [command = '', ...args] = [...host.enter, process.execPath, file];
  const ran = spawnSync(command, args, { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  expect(ran.stdout).toMatch(/wan0\s+inet 198\.51\.100\.7\/24/);
  expect(ran.stdout).toMatch(/^1400$/m);
});

test('a kernel that translates no addresses: one error that says what it lacks, and nothing was made', (ctx) => {
  ctx.skip(translatesAddresses, 'this kernel translates addresses');
  const kept = () => ['/run/tslab', '/var/lib/tslab', '/run/netns'].map(list);
  const [before, state] = [kept(), host.state()];
  const ran = host.tslab('run', '-p', '8081:80', '--', 'true');
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(
    /annotations\[org.tslab.network\]: bridge needs what kernel \S+ lacks: CONFIG_\w+ /,
  );
  expect(ran.stderr.trim().split('\n')).toHaveLength(1);
  expect(host.tslab('doctor').stdout).toMatch(/^no +nft .*\n +kernel \S+ lacks CONFIG_/m);
  expect([kept(), host.state()]).toEqual([before, state]);
});

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
