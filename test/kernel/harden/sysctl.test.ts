/** Kernel parameters: the container's change, the host's don't, and those that would are refused. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Spec } from '../../../src/oci/spec.ts';
import { Lab } from '../../support/container.ts';

const isRoot = process.getuid?.() === 0;
let lab: Lab;
beforeAll(() => {
  if (isRoot) lab = new Lab();
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach((ctx) => ctx.skip(!isRoot, 'needs root'));

const host = (path: string) => readFileSync(`/proc/sys/${path}`, 'utf8');
const withSysctl = (sysctl: Record<string, string>, without?: string) => (spec: Spec) => {
  if (!spec.linux) return;
  spec.linux.sysctl = sysctl;
  if (without) spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== without) ?? [];
  if (without === 'uts') delete spec.hostname;
};

test.each([
  ['net.ipv4.ip_forward', 'net/ipv4/ip_forward', '1'],
  ['net/ipv4/conf/lo/forwarding', 'net/ipv4/conf/lo/forwarding', '1'],
  ['net.ipv4.ip_unprivileged_port_start', 'net/ipv4/ip_unprivileged_port_start', '81'],
  ['kernel.msgmax', 'kernel/msgmax', '8193'],
  ['kernel.shm_rmid_forced', 'kernel/shm_rmid_forced', '1'],
  ['kernel.sem', 'kernel/sem', '251\t32001\t101\t129'],
  ['fs.mqueue.msg_max', 'fs/mqueue/msg_max', '11'],
  ['kernel.domainname', 'kernel/domainname', 'lab.example'],
])('%s', async (name, path, wanted) => {
  const before = host(path);
  // Another than the host's, whatever that is at the moment.
  const value = before === `${wanted}\n` ? '0' : wanted;
  const { out } = await lab.run(['cat', `/proc/sys/${path}`], withSysctl({ [name]: value }));
  expect(out).toBe(`${value}\n`);
  expect(host(path)).toBe(before);
});

test.each([
  ['kernel.panic', undefined, /linux\.sysctl\[kernel\.panic\]: no namespace has this parameter/],
  ['kernel.shmmaxx', undefined, /no namespace/],
  ['vm.swappiness', undefined, /no namespace/],
  ['net.ipv4.ip_forward', 'network', /without a namespace of type network/],
  ['kernel.msgmax', 'ipc', /without a namespace of type ipc/],
  ['fs.mqueue.msg_max', 'ipc', /without a namespace of type ipc/],
  ['kernel.domainname', 'uts', /without a namespace of type uts/],
  ['kernel.hostname', undefined, /the config has hostname for the same/],
  ['user.max_user_namespaces', undefined, /without a namespace of type user/],
  ['net/../kernel/panic', undefined, /it takes a name such as/],
  ['net//panic', undefined, /it takes a name such as/],
  ['/net/ipv4/ip_forward', undefined, /it takes a name such as/],
])('%s is refused by name (without %s)', async (name, without, message) => {
  await expect(lab.start(['true'], withSysctl({ [name]: '1' }, without))).rejects.toThrow(message);
});

test('a parameter that the kernel does not have names its field', async () => {
  await expect(lab.start(['true'], withSysctl({ 'net.no.such': '1' }))).rejects.toThrow(
    /ENOENT.*linux\.sysctl\[net\.no\.such\]/s,
  );
});

test('in a user namespace too', async () => {
  const map = [{ containerID: 0, hostID: 0, size: 65536 }];
  const { out } = await lab.run(['cat', '/proc/sys/net/ipv4/ip_forward'], (spec) => {
    withSysctl({ 'net.ipv4.ip_forward': '1' })(spec);
    spec.linux?.namespaces?.push({ type: 'user' });
    Object.assign(spec.linux ?? {}, { uidMappings: map, gidMappings: map });
  });
  expect(out).toBe('1\n');
});
