/** podman with tslab-oci: which namespaces are new, another container's, or the host's. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lack, Podman } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const { concurrent: together } = test;
const types = ['mnt', 'uts', 'ipc', 'net', 'pid', 'cgroup', 'user'] as const;
const namespaces = (pid: number | 'self') =>
  Object.fromEntries(types.map((type) => [type, readlinkSync(`/proc/${pid}/ns/${type}`)]));
/** The types in which two processes are in the same one. */
const shared = (a: number | 'self', b: number | 'self') =>
  types.filter((type) => namespaces(a)[type] === namespaces(b)[type]);

/** With v1, podman's own default is the host's. */
const own = ['--cgroupns', 'private'];

together('by default all are new but the user namespace', async () => {
  expect(shared(await podman.begin('plain', own), 'self')).toEqual(['user']);
});

together.each<[string, string[]]>([
  ['pid', ['--pid', 'host']],
  ['ipc', ['--ipc', 'host']],
  ['uts', ['--uts', 'host']],
  ['cgroup', ['--cgroupns', 'host']],
])("the host's %s namespace", async (type, flags) => {
  expect(shared(await podman.begin(`host-${type}`, [...own, ...flags]), 'self')).toEqual(
    types.filter((one) => one === type || one === 'user'),
  );
});

together('those of another container', async () => {
  const first = await podman.begin('first', [...own, '--ipc', 'shareable']);
  const said = await podman.run(
    ...[
      'run',
      '--detach',
      '--name',
      'second',
      ...own,
      '--pid',
      'container:first',
      '--network',
      'container:first',
    ],
    ...['--ipc', 'container:first', 'box', 'sleep', '100'],
  );
  expect(said.stderr).toBe('');
  expect(shared(await podman.pid('second'), first)).toEqual(['ipc', 'net', 'pid', 'user']);
  expect((await podman.run('exec', 'second', 'ps')).stdout).toMatch(/^ +1 root +sleep 100/m);
});

together('--uidmap and --gidmap', async () => {
  const pid = await podman.begin('mapped', ['--uidmap', '0:100000:5000', '--gidmap', '0:200000:5000']);
  expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/ +/)).toEqual(['0', '100000', '5000']);
  expect(readFileSync(`/proc/${pid}/gid_map`, 'utf8').trim().split(/ +/)).toEqual(['0', '200000', '5000']);
  const exec = await podman.run(
    'exec',
    '--user',
    '12:13',
    'mapped',
    'sh',
    '-c',
    'id -u; id -g; stat -c %u /',
  );
  expect(exec.stdout).toBe('12\n13\n0\n');
});

test('--userns auto: a range of its own for each', async () => {
  const { stdout } = await podman.sh([
    'sh',
    '-c',
    'echo containers:2000000:200000 | tee -a /etc/subuid /etc/subgid',
  ]);
  expect(stdout).toContain('containers');
  const maps: (string | undefined)[] = [];
  // One after the other: two of podman 4.3 at once may wait for ever on the locks of its store, before any runtime is called.
  for (const name of ['auto-1', 'auto-2']) {
    const pid = await podman.begin(name, ['--userns', 'auto']);
    maps.push(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/ +/)[1]);
  }
  expect(new Set(maps).size).toBe(2);
  for (const first of maps) expect(Number(first)).toBeGreaterThanOrEqual(2_000_000);
});

together('--userns host and container:', async () => {
  const first = await podman.begin('with-user', [...own, '--uidmap', '0:100000:5000']);
  const second = await podman.begin('joins-user', [...own, '--userns', 'container:with-user']);
  expect(shared(first, second)).toEqual(['user']);
  expect(shared(await podman.begin('host-user', [...own, '--userns', 'host']), 'self')).toEqual(['user']);
});

together('--init: a small init in front of the program', async (ctx) => {
  ctx.skip(!existsSync('/usr/libexec/podman/catatonit'), 'needs catatonit');
  const pid = await podman.begin('small-init', ['--init']);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(-3)).toEqual(['sleep', '100', '']);
  expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toMatch(/init/);
  expect((await podman.run('stop', '--time', '10', 'small-init')).stderr).toBe('');
  expect(await podman.inspect('small-init', '.State.ExitCode')).toBe('143');
});
