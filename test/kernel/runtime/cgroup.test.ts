/** Limits, judged by the kernel's own counters from outside. File names go by the version that this host has. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, expect, type TestContext, test } from 'vitest';
import { cgroupPaths, keyed, members, number, oomKills } from '../../../src/evidence/cgroup.ts';
import { mountinfo } from '../../../src/evidence/mountinfo.ts';
import { probe } from '../../../src/facts/probe.ts';
import { type Container, defaultSpec, start } from '../../../src/index.ts';
import type { Resources, Spec } from '../../../src/oci/spec.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { freeze, isFrozen, killAll, ooms, pids, thaw } from '../../../src/runtime/cgroup.ts';
import { stats } from '../../../src/runtime/cgroup-stats.ts';
import { update } from '../../../src/runtime/cgroup-update.ts';
import { exec } from '../../../src/runtime/exec.ts';
import { ledgerFor, playLedger } from '../../../src/runtime/ledgers.ts';
import { stateOf } from '../../../src/runtime/state.ts';
import { cgroupDirectories } from '../../../src/steps/cgroup/place.ts';
import { canDecideDevices, versionOf } from '../../../src/steps/cgroup/resources.ts';

const facts = probe();
const rootfs = join(packageRoot, 'dist/rootfs/default');
const id = `cg-${process.pid}`;
let containers: Container[];

beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ctx.skip(!facts.cgroup.writable, 'needs a cgroup tree');
  containers = [];
});
afterEach(async () => {
  for (const container of containers) await container.stop();
  expect(cgroupsNamed(`tslab-${id}`)).toEqual([]);
});

// What a v2 tree hands out at its top stays handed out: others may have come to use it. This host gets its own back.
const control = join(facts.cgroup.unified ?? '', 'cgroup.subtree_control');
const handedOut = facts.cgroup.unified === undefined ? '' : readFileSync(control, 'utf8');
afterAll(() => {
  if (facts.cgroup.layout !== 'hybrid' || !facts.cgroup.writable) return;
  for (const name of readFileSync(control, 'utf8').split(/\s+/))
    if (name !== '' && !handedOut.split(/\s+/).includes(name)) writeFileSync(control, `-${name}`);
});

const sh = async (script: string, resources: Resources = {}, change: (spec: Spec) => void = () => {}) => {
  const spec = defaultSpec({ args: ['sh', '-c', script], rootfs });
  spec.linux = { ...spec.linux, resources };
  change(spec);
  const container = await start(spec, { id, stdio: ['ignore', 'pipe', 'pipe'] });
  containers.push(container);
  return container;
};
const output = (container: Container) => text(container.stdout as Readable);
const own = () => cgroupDirectories(`/tslab-${id}`, probe().cgroup);
/** The container's directory that has this controller's files. */
const of = (controller: string) => own().controllers[controller] ?? own().unified;
const needs = (ctx: TestContext, controller: string) =>
  ctx.skip(versionOf(controller, facts.cgroup) === undefined, `needs the ${controller} controller`);

function cgroupsNamed(name: string): string[] {
  const tops = mountinfo('self').filter(({ type }) => type.startsWith('cgroup'));
  return tops.map(({ at }) => join(at, name)).filter((path) => existsSync(path));
}

test('a container has a cgroup of its own in every tree, and sees it as the top', async () => {
  const container = await sh('cat /proc/self/cgroup; sleep 100');
  const inside = await new Promise<string>((done) =>
    container.stdout?.once('data', (data) => done(String(data))),
  );
  for (const line of inside.trim().split('\n')) expect(line).toMatch(/:\/$/);
  for (const [controller, path] of Object.entries(cgroupPaths(container.pid)))
    if (controller === '' ? facts.cgroup.unified : facts.cgroup.controllers[controller])
      expect(`${controller} ${path}`).toBe(`${controller} /tslab-${id}`);
  expect(cgroupsNamed(`tslab-${id}`).length).toBeGreaterThan(0);
  expect(pids(own())).toContain(container.pid);
});

test('a fork bomb stops at the limit', async (ctx) => {
  needs(ctx, 'pids');
  // The shell that bombs gives up when it can't fork; what it has made stays.
  await sh('sh -c "while :; do sleep 100 & done"; exec sleep 100', { pids: { limit: 12 } });
  await expect.poll(() => keyed(of('pids'), 'pids.events')?.max ?? 0, { timeout: 10_000 }).toBeGreaterThan(0);
  expect(number(of('pids'), 'pids.current')).toBeLessThanOrEqual(12);
  expect(pids(own()).length).toBeLessThanOrEqual(12);
});

test('who takes more memory than allowed is killed, and that is counted', async (ctx) => {
  needs(ctx, 'memory');
  // tail keeps all of a line that never ends.
  const script = 'tail -n 1 /dev/zero; echo "tail: $?"; sleep 100';
  const container = await sh(script, { memory: { limit: 32 << 20, swap: 32 << 20 } });
  const told = await new Promise<string>((done) =>
    container.stdout?.once('data', (data) => done(String(data))),
  );
  expect(told).toBe('tail: 137\n');
  expect(await ooms(own()).next()).toEqual({ done: false, value: 1 });
  expect(oomKills(of('memory'))).toBe(1);
  expect(stats(own()).memory).toMatchObject({ oomKills: 1, usage: { limit: 32 << 20 } });
});

test('a CPU quota throttles', async (ctx) => {
  needs(ctx, 'cpu');
  await sh('while :; do :; done', { cpu: { quota: 10_000, period: 100_000 } });
  await expect
    .poll(() => keyed(of('cpu'), 'cpu.stat')?.nr_throttled ?? 0, { timeout: 10_000 })
    .toBeGreaterThan(3);
  const { throttling, usage } = stats(own()).cpu ?? {};
  expect(throttling?.throttledTime).toBeGreaterThan(0);
  expect(usage?.total).toBeGreaterThan(0);
});

test('a cpuset is where it may run', async (ctx) => {
  needs(ctx, 'cpuset');
  const container = await sh('sleep 100', { cpu: { cpus: '0' } });
  const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
  expect(/^Cpus_allowed_list:\s+(.*)$/m.exec(status)?.[1]).toBe('0');
});

const openZeroAndFull = 'head -c 1 /dev/zero >/dev/null && echo zero; head -c 1 /dev/full';
const noFull: Resources = {
  devices: [
    { allow: true, access: 'rwm' },
    { allow: false, type: 'c', major: 1, minor: 7, access: 'r' },
  ],
};

test('a denied device is there, but opening it is EPERM', async (ctx) => {
  ctx.skip(!canDecideDevices(facts), 'needs the devices controller, or BPF');
  const container = await sh(openZeroAndFull, noFull);
  const [out, err] = await Promise.all([output(container), text(container.stderr as Readable)]);
  expect(out).toBe('zero\n');
  expect(err).toMatch(/\/dev\/full: Operation not permitted/);
});

test('the same by v2’s program, also where v1 has the devices', async (ctx) => {
  ctx.skip(facts.cgroup.unified === undefined, 'needs a v2 tree');
  ctx.skip(!facts.cgroup.bpf || !facts.capabilities.includes('CAP_SYS_ADMIN'), 'needs bpf(2)');
  const { devices, ...controllers } = facts.cgroup.controllers;
  const { stages, perform, planFor } = await library();
  const spec = defaultSpec({ args: ['sh', '-c', openZeroAndFull], rootfs });
  spec.linux = { ...spec.linux, cgroupsPath: `/tslab-${id}`, resources: noFull };
  spec.mounts = spec.mounts?.filter(({ type }) => type !== 'cgroup') ?? [];
  const plan = planFor(id, spec, { ...facts, cgroup: { ...facts.cgroup, controllers } }, stages);
  expect(plan.steps.map(({ kind }) => kind)).toContain('bpf');
  const container = await perform(plan, { stdio: ['ignore', 'pipe', 'pipe'] });
  containers.push(container);
  const [out, err] = await Promise.all([output(container), text(container.stderr as Readable)]);
  expect(out).toBe('zero\n');
  expect(err).toMatch(/\/dev\/full: Operation not permitted/);
});
const library = () => import('../../../src/index.ts');

test('an empty list opens nothing but what every container has', async (ctx) => {
  ctx.skip(!canDecideDevices(facts), 'needs the devices controller, or BPF');
  const script =
    'echo >/dev/null && head -c 1 /dev/urandom >/dev/null && echo fine; mknod /dev/fuse c 10 229 && : </dev/fuse';
  const container = await sh(script, { devices: [{ allow: false, access: 'rwm' }] }, (spec) => {
    const kept = [...(spec.process?.capabilities?.bounding ?? []), 'CAP_MKNOD'];
    if (spec.process) spec.process.capabilities = { bounding: kept, effective: kept, permitted: kept };
  });
  const [out, err] = await Promise.all([output(container), text(container.stderr as Readable)]);
  expect(out).toBe('fine\n');
  expect(err).toMatch(/\/dev\/fuse: (Operation not permitted|Permission denied)/);
});

test('frozen it does nothing; it goes on where it was; frozen or not, it can be ended', async () => {
  const container = await sh('i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done');
  let lines = 0;
  container.stdout?.on('data', () => lines++);
  await expect.poll(() => lines).toBeGreaterThan(0);
  await freeze(own());
  expect(isFrozen(own())).toBe(true);
  const turns = () =>
    /^voluntary_ctxt_switches:.*/m.exec(readFileSync(`/proc/${container.pid}/status`, 'utf8'))?.[0];
  await new Promise((done) => setTimeout(done, 50)); // what was written before
  const before = [lines, turns()];
  await new Promise((done) => setTimeout(done, 300));
  expect([lines, turns()]).toEqual(before);
  const [linesBefore = 0] = before as [number];
  await thaw(own());
  await expect.poll(() => lines).toBeGreaterThan(linesBefore);
  await freeze(own());
  expect(await killAll(own())).toBe(true);
  expect(await container.exit).toEqual({ signal: 'SIGKILL' });
});

test('other limits while it lives', async (ctx) => {
  needs(ctx, 'memory');
  needs(ctx, 'cpu');
  const before: Resources = {
    memory: { limit: 32 << 20, swap: 32 << 20 },
    cpu: { quota: 50_000, period: 100_000 },
  };
  await sh('sleep 100', before);
  // Memory alone may at no moment be more than with swap: on the way up the second goes first, on the way down the other.
  const up = update(own(), facts, { memory: { limit: 128 << 20, swap: 128 << 20 } }, before);
  expect(stats(own()).memory?.usage.limit).toBe(128 << 20);
  update(own(), facts, { memory: { limit: 64 << 20, swap: 64 << 20 } }, up);
  expect(stats(own()).memory?.usage.limit).toBe(64 << 20);
  update(own(), facts, { cpu: { quota: -1 } }, up);
  const quota = of('cpu') === own().unified ? 'cpu.max' : 'cpu.cfs_quota_us';
  expect(readFileSync(join(of('cpu') ?? '', quota), 'utf8')).toMatch(/^(max|-1)/);
});

test('a limit of a controller that nobody asked for at the start', async (ctx) => {
  ctx.skip(versionOf('hugetlb', facts.cgroup) !== 2, 'needs the hugetlb controller in the v2 tree');
  await sh('sleep 100');
  update(own(), facts, { hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }] });
  expect(number(own().unified, 'hugetlb.2MB.rsvd.max')).toBe(4 << 20);
});

test('nothing is born into what is paused', async () => {
  await sh('sleep 100');
  await freeze(own());
  await expect(further(['true'])).rejects.toThrow(/it is paused; tslab unpause/);
});

test.each([
  ['', []],
  [', with a user namespace too', [{ containerID: 0, hostID: 0, size: 65_536 }]],
  [', whose root is nobody who may enter a cgroup', [{ containerID: 0, hostID: 400_000, size: 65_536 }]],
])('a further process counts as the container’s%s', async (_, mapping) => {
  const container = await sh('sleep 100', {}, (spec) => {
    if (mapping.length === 0) return;
    const namespaces = [...(spec.linux?.namespaces ?? []), { type: 'user' as const }];
    spec.linux = { ...spec.linux, namespaces, uidMappings: mapping, gidMappings: mapping };
  });
  const joined = await further(['sleep', '100']);
  try {
    expect(pids(own())).toContain(container.pid);
    expect(cgroupPaths(joined.pid)).toEqual(cgroupPaths(container.pid));
  } finally {
    await joined.stop();
  }
});

const further = async (args: string[]) => {
  const state = stateOf(id);
  if (!state) throw new Error('it does not run');
  return await exec(state, { args, cwd: '/' }, { stdio: ['ignore', 'ignore', 'ignore'] });
};

test('v2: an init that divides its cgroup; a further process goes to where it is', async (ctx) => {
  ctx.skip(facts.cgroup.layout !== 'v2', 'needs cgroup v2 alone');
  const script =
    'cd /sys/fs/cgroup && mkdir init && echo 1 >init/cgroup.procs && echo +pids >cgroup.subtree_control && echo divided; sleep 100';
  const container = await sh(script, {}, (spec) => {
    spec.mounts = (spec.mounts ?? []).map((mount) =>
      mount.type === 'cgroup' ? { ...mount, options: ['nosuid'] } : mount,
    );
  });
  const told = await new Promise<string>((done) =>
    container.stdout?.once('data', (data) => done(String(data))),
  );
  expect(told).toBe('divided\n');
  const joined = await further(['sleep', '100']);
  expect(cgroupPaths(joined.pid)).toEqual({ '': `/tslab-${id}/init` });
  await joined.stop();
});

test('v2: an ordinary user, in a subtree that was delegated to them', (ctx) => {
  ctx.skip(facts.cgroup.layout !== 'v2', 'needs cgroup v2 alone');
  const home = mkdtempSync(join(tmpdir(), 'tslab-test-home-'));
  const top = join(facts.cgroup.unified ?? '', `tslab-test-delegated-${process.pid}`);
  const script = `set -e
    mkdir -p ${top}/session; echo +pids >${facts.cgroup.unified}/cgroup.subtree_control
    chown 4711:4711 ${home} ${top} ${top}/cgroup.procs ${top}/cgroup.subtree_control
    echo $$ >${top}/session/cgroup.procs
    HOME=${home} exec setpriv --reuid=4711 --regid=4711 --clear-groups "$0" run --pids-limit 7 -- sh -c 'cat /sys/fs/cgroup/pids.max; cat /proc/self/cgroup'`;
  try {
    const { stdout, stderr } = spawnSync('sh', ['-c', script, join(packageRoot, 'bin/tslab')], {
      encoding: 'utf8',
    });
    expect(stdout, stderr).toBe('7\n0::/\n');
    expect(readdirSync(top).filter((name) => name.startsWith('tslab'))).toEqual([]);
  } finally {
    rmdirSync(join(top, 'session'));
    rmdirSync(top);
    rmSync(home, { recursive: true });
  }
});

test('without a cgroup namespace it is shown its own cgroup alone', async () => {
  const container = await sh(
    'find /sys/fs/cgroup -name "tslab*"; cat /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs',
    {},
    (spec) => {
      spec.linux = {
        ...spec.linux,
        namespaces: (spec.linux?.namespaces ?? []).filter(({ type }) => type !== 'cgroup'),
      };
    },
  );
  const lines = new Set((await output(container)).trim().split('\n'));
  expect([...lines].filter((line) => !/^\d+$/.test(line))).toEqual([]);
  expect(lines).toContain('1'); // itself, by its own number
});

test('parents are made, and go again if nobody else is in them', async () => {
  const parent = `/tslab-test-parent-${process.pid}`;
  const container = await sh('sleep 100', {}, (spec) => {
    spec.linux = { ...spec.linux, cgroupsPath: `${parent}/x` };
  });
  const made = cgroupsNamed(`${parent}/x`);
  expect(made.length).toBeGreaterThan(0);
  expect(made.flatMap(members)).toContain(container.pid);
  const other = join(made[0] ?? '', '../other');
  mkdirSync(other);
  await container.stop();
  expect(cgroupsNamed(`${parent}/x`)).toEqual([]);
  expect(readdirSync(join(other, '..'))).toContain('other');
  rmdirSync(other);
  rmdirSync(join(other, '..'));
  expect(cgroupsNamed(parent)).toEqual([]);
});

test('a relative path is below one parent for all, and the last to leave removes it', async () => {
  const begin = async (name: string) => {
    const spec = defaultSpec({ args: ['sleep', '100'], rootfs });
    spec.linux = { ...spec.linux, cgroupsPath: name };
    const container = await start(spec, { id: name, stdio: ['ignore', 'ignore', 'ignore'] });
    containers.push(container);
    return container;
  };
  const first = await begin(`${id}-a`);
  const second = await begin(`${id}-b`);
  expect(cgroupsNamed(`tslab/${id}-a`).flatMap(members)).toContain(first.pid);
  await first.stop();
  expect(cgroupsNamed(`tslab/${id}-b`).flatMap(members)).toContain(second.pid);
  await second.stop();
  expect(cgroupsNamed('tslab')).toEqual([]);
});

test('a cgroup that is there already is somebody else’s', async () => {
  const first = await sh('sleep 100');
  const spec = defaultSpec({ args: ['true'], rootfs });
  spec.linux = { ...spec.linux, cgroupsPath: `/tslab-${id}` };
  await expect(start(spec, { stdio: ['ignore', 'ignore', 'ignore'] })).rejects.toThrow(
    /mkdir\(.*EEXIST \(file already exists\), asked for by cgroup, linux\.cgroupsPath/,
  );
  expect(pids(own())).toContain(first.pid);
});

test('what this host lacks is refused by name, and nothing is left', async () => {
  await expect(sh('true', { unified: { 'nosuch.max': '1' } })).rejects.toThrow(
    /linux\.resources\.unified\["nosuch\.max"\]/,
  );
  await expect(sh('true', { hugepageLimits: [{ pageSize: '3KB', limit: 0 }] })).rejects.toThrow(
    /linux\.resources\.hugepageLimits\[0\]/,
  );
});

test('a killed launcher: frozen or full of processes, all of it goes', async () => {
  const container = await sh('sleep 100 & sleep 100 & sleep 100', {}, (spec) => {
    // Without a PID namespace, nobody ends the others.
    spec.linux = { ...spec.linux, namespaces: [{ type: 'cgroup' }, { type: 'mount' }] };
    delete spec.hostname;
    spec.mounts =
      spec.mounts?.filter(({ type }) => !['mqueue', 'sysfs', 'cgroup'].includes(type ?? '')) ?? [];
  });
  await expect.poll(() => pids(own()).length).toBe(3);
  const all = pids(own());
  await freeze(own());
  process.kill(container.launcherPid, 'SIGKILL');
  await expect(container.exit).rejects.toThrow(/ended by itself/);
  expect(cgroupsNamed(`tslab-${id}`)).toEqual([]);
  for (const pid of all) {
    const stat = spawnSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }).stdout;
    expect(stat === '' || stat.includes(') Z ')).toBe(true);
  }
});

test('the command line: limits, counters, freezing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  const tslab = (...args: string[]) => spawnSync(join(packageRoot, 'bin/tslab'), args, { encoding: 'utf8' });
  try {
    const started = tslab('run', '-d', '--rm', '--name', id, '--pids-limit', '9', '--', 'sleep', '100');
    expect([started.status, started.stdout], started.stderr).toEqual([0, `${id}\n`]);
    expect(JSON.parse(tslab('stats', '--json', id).stdout)).toMatchObject([
      { id, data: { pids: { limit: 9 } } },
    ]);
    expect(tslab('stats').stdout).toMatch(new RegExp(`^${id} .* 1 / 9 `, 'm'));
    expect(tslab('update', '--pids-limit', '11', id).status).toBe(0);
    expect(number(of('pids'), 'pids.max')).toBe(11);
    expect(tslab('pause', id).status).toBe(0);
    expect(isFrozen(own())).toBe(true);
    expect(tslab('unpause', id).status).toBe(0);
    expect(isFrozen(own())).toBe(false);
    tslab('pause', id);
  } finally {
    expect(tslab('rm', '--force', id).status).toBe(0);
    rmSync(folder, { recursive: true });
  }
});

test('the command line: a device is closed to whom it was not given', (ctx) => {
  ctx.skip(!canDecideDevices(facts), 'needs the devices controller, or BPF');
  ctx.skip(!existsSync(node), 'needs /dev/fuse');
  const opens = (...flags: string[]) =>
    spawnSync(join(packageRoot, 'bin/tslab'), ['run', ...flags, '--', 'sh', '-c', ': </dev/x'], {
      encoding: 'utf8',
    });
  expect(opens('-v', `${node}:/dev/x`).stderr).toMatch(/Operation not permitted/);
  const opened = { status: 0, stderr: '' };
  expect(opens('--privileged', '-v', `${node}:/dev/x`)).toMatchObject(opened);
  expect(opens('--device', `${node}:/dev/x`)).toMatchObject(opened);
  expect(opens('-v', `${node}:/dev/x`, '--device-cgroup-rule', 'c 10:229 r')).toMatchObject(opened);
});
const node = '/dev/fuse';

test('v1 alone: what its freezer holds can’t be killed, and still goes with its launcher', (ctx) => {
  ctx.skip(
    facts.cgroup.layout !== 'hybrid' || !facts.cgroup.controllers.freezer,
    'needs v1 and v2 to hide the latter',
  );
  const tslab = join(packageRoot, 'bin/tslab');
  const script = `umount "$1" && "$0" run -d --rm --name ${id} -- sleep 100 && "$0" pause ${id}`;
  const begun = spawnSync('unshare', ['-m', 'sh', '-c', script, tslab, String(facts.cgroup.unified)], {
    encoding: 'utf8',
  });
  expect([begun.status, begun.stdout]).toEqual([0, `${id}\n`]);
  expect(readFileSync(join(of('freezer') ?? '', 'freezer.state'), 'utf8')).toBe('FROZEN\n');
  const pid = stateOf(id)?.pid ?? 0;
  const launcher = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  process.kill(launcher, 'SIGKILL');
  expect(playLedger(ledgerFor(id)).outcome).toBe('undone');
});
