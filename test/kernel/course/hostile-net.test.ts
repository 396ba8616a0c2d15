/** What a learner's plan asks of the host's network is asked of the box's: requests of the host hand that aim at ours. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Spec } from '../../../src/oci/spec.ts';
import { Grounds } from '../../support/hostile.ts';

let ground: Grounds;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ground = new Grounds();
});
afterEach(() => ground?.[Symbol.dispose]());

const onBridge = (spec: Spec) => {
  spec.annotations = { 'org.tslab.network': 'bridge', 'org.tslab.network.address': '10.123.4.5' };
};
const links = () =>
  readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .map((line) => line.split(':')[0]?.trim());
/** A cable between a link of ours and the network of the process that `pid` is to whoever hears the request. */
const cable = (near: string, far: string, pid: number) => `(() => {
  const { messages } = newVeth({ name: '${near}', mtu: 1500 }, { name: '${far}', mtu: 1500 });
  messages.writeUInt32LE(${pid}, messages.length - 4);
  return netlink('host', messages, 'linux.namespaces');
})(),`;
/** Looks at our links as long as the container lives, too. */
async function attempt(
  steps: string,
  argv: string[],
): Promise<{ said: string; seen: Set<string | undefined> }> {
  const seen = new Set<string | undefined>();
  const timer = setInterval(() => {
    for (const name of links()) seen.add(name);
  }, 5);
  const said = await ground.attempt('net', steps, argv, '', onBridge);
  clearInterval(timer);
  return { said, seen };
}

test('a link that it makes on the host’s side is not one of ours', async () => {
  const [near, far] = [`tn${process.pid}`, `tf${process.pid}`];
  const made = `(() => {
    const { messages, pidAt } = newVeth({ name: '${near}', mtu: 1500 }, { name: '${far}', mtu: 1500 });
    return { ...netlink('host', messages, 'linux.namespaces'), pidAt };
  })(),`;
  const { said, seen } = await attempt(made, ['sh', '-c', 'cat /proc/net/dev; sleep 0.3']);
  expect(said).toMatch(new RegExp(`^ *${far}:`, 'm')); // it was made
  expect(seen).toContain('lo');
  expect([...seen]).not.toContain(near);
});

test.each([1, process.pid])('nor does one get to us by the number of a process: %i', async (pid) => {
  const [near, far] = [`tn${process.pid}`, `tf${process.pid}`];
  const { said, seen } = await attempt(cable(near, far, pid), ['sh', '-c', 'echo runs; sleep 0.3']);
  // The box's process 1 is in the box; the other number is nobody's there.
  expect(said).toMatch(pid === 1 ? /^runs$/m : /netlink|AF_NETLINK/);
  expect([...seen]).not.toContain(near);
  expect([...seen]).not.toContain(far);
});

test('it asks nobody but rtnetlink, and only where the lesson’s own stage does', async () => {
  const other = `{ at: 'host', phase: 'network', kind: 'netlink', protocol: 12, messages: '' },`;
  expect((await attempt(other, ['true'])).said).toMatch(/speaks rtnetlink/);
  const plain = `netlink('host', linkUp(LO), 'linux.namespaces'),`;
  expect(await ground.attempt('net', plain, ['true'])).toMatch(/no business on the host hand/);
});
