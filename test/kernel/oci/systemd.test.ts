/**
 * `--systemd-cgroup`, as engines call it, with a systemd that runs: judged by what systemd says of the scope, and by the
 * cgroup file systems. test/v2 runs this on machines that boot with systemd.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cgroupPaths, members } from '../../../src/evidence/cgroup.ts';
import { probe } from '../../../src/facts/probe.ts';
import type { Spec } from '../../../src/oci/spec.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { Bundle, list } from '../../support/oci.ts';
import { OrdinaryUser, UID } from '../../support/ordinary-user.ts';

const booted = existsSync('/run/systemd/system');
const { cgroup } = probe();
const v2 = cgroup.layout === 'v2';

beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ctx.skip(!booted, 'systemd does not run here');
});
// Whatever a test does, no unit and no cgroup is left of it.
afterEach(async () => {
  if (!booted) return;
  await expect.poll(() => [...units(), ...cgroups()]).toEqual([]);
});

const units = () =>
  systemctl('list-units', '--all', '--plain', '--no-legend', 'tslabtest-*.scope').split('\n').filter(Boolean);
const cgroups = () =>
  execFileSync('find', ['/sys/fs/cgroup', '-name', 'tslabtest-*.scope'], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
const systemctl = (...words: string[]) => spawnSync('systemctl', words, { encoding: 'utf8' }).stdout;
const show = (unit: string, ...names: string[]) =>
  Object.fromEntries(
    names.map((name) => [name, systemctl('show', unit, '--value', '--property', name).trimEnd()]),
  );

const unit = 'tslabtest-web.scope';
const slice = 'oci-test.slice';
const scope = `/oci.slice/${slice}/${unit}`;
const own = `${scope}/container`;

/** Of the controller's tree; the v2 tree has all. */
const directory = (controller: string, path = own) =>
  join(v2 ? (cgroup.unified ?? '') : (cgroup.controllers[controller] ?? ''), path);
const read = (controller: string, files: { v1?: string; v2: string }, path?: string) =>
  readFileSync(join(directory(controller, path), v2 ? files.v2 : (files.v1 ?? files.v2)), 'utf8').trim();
const memoryMax = { v1: 'memory.limit_in_bytes', v2: 'memory.max' };

function container(change: (spec: Spec) => void = () => {}, args = ['sleep', '100']): Bundle {
  return new Bundle().config(args, (spec) => {
    spec.linux = { ...spec.linux, cgroupsPath: `${slice}:tslabtest:web` };
    change(spec);
  });
}
const limited = (spec: Spec) => {
  spec.linux = {
    ...spec.linux,
    resources: {
      memory: { limit: 64 << 20 },
      cpu: { shares: 512, quota: 25_000, period: 50_000 },
      pids: { limit: 33 },
      devices: [{ allow: false, access: 'rwm' }],
    },
  };
};
const oci = (bundle: Bundle, ...args: string[]) => bundle.oci('--systemd-cgroup', ...args);

test('create: a delegated scope in its slices, limits among its properties, its process in a cgroup below', () => {
  using bundle = container(limited);
  expect(oci(bundle, 'create', 'one')).toMatchObject({ status: 0, stderr: '' });
  const { pid } = bundle.state('one');
  const paths = Object.entries(cgroupPaths(pid)).filter(
    ([name]) => name !== '' || cgroup.unified !== undefined,
  );
  expect([...new Set(paths.map(([, path]) => path))]).toEqual([own]);
  const common = {
    ControlGroup: scope,
    Slice: slice,
    Delegate: 'yes',
    CollectMode: 'inactive-or-failed',
    ActiveState: 'active',
    TasksMax: '33',
  };
  expect(show(unit, ...Object.keys(common))).toEqual(common);
  expect(show(unit, 'CPUQuotaPerSecUSec', 'CPUQuotaPeriodUSec', 'DevicePolicy')).toEqual({
    CPUQuotaPerSecUSec: '500ms',
    CPUQuotaPeriodUSec: '50ms',
    DevicePolicy: 'strict',
  });
  const words = v2
    ? { MemoryMax: String(64 << 20), CPUWeight: '59' }
    : { MemoryLimit: String(64 << 20), CPUShares: '512' };
  expect(show(unit, ...Object.keys(words))).toEqual(words);
  for (const path of [scope, own]) expect(read('memory', memoryMax, path)).toBe(String(64 << 20));
});

test('systemd reads its units again, and nothing changes', () => {
  using bundle = container(limited);
  oci(bundle, 'create', 'one');
  const before = show(unit, 'TasksMax', 'MemoryMax', 'MemoryLimit', 'CPUQuotaPerSecUSec');
  systemctl('daemon-reload');
  expect(show(unit, ...Object.keys(before))).toEqual(before);
  for (const path of [scope, own]) {
    expect(read('memory', memoryMax, path)).toBe(String(64 << 20));
    expect(read('pids', { v2: 'pids.max' }, path)).toBe('33');
  }
});

test('without a limit on processes there is none, not the one that systemd gives its own', () => {
  using bundle = container();
  oci(bundle, 'create', 'one');
  expect(show(unit, 'TasksMax')).toEqual({ TasksMax: 'infinity' });
  expect(read('pids', { v2: 'pids.max' }, scope)).toBe('max');
});

test('exec, ps, events, pause and kill find its cgroup', async () => {
  using bundle = container(limited);
  oci(bundle, 'create', 'one');
  oci(bundle, 'start', 'one');
  const { pid } = bundle.state('one');
  expect(oci(bundle, 'exec', '--detach', '--pid-file', bundle.path('pid'), 'one', 'sleep', '50').status).toBe(
    0,
  );
  const second = Number(readFileSync(bundle.path('pid'), 'utf8'));
  expect(new Set(Object.values(cgroupPaths(second)))).toEqual(new Set(Object.values(cgroupPaths(pid))));
  expect(JSON.parse(oci(bundle, 'ps', '--format', 'json', 'one').stdout)).toEqual([pid, second]);
  expect(JSON.parse(oci(bundle, 'events', '--stats', 'one').stdout).data.memory.usage.limit).toBe(64 << 20);
  expect(oci(bundle, 'pause', 'one').status).toBe(0);
  expect(bundle.state('one').status).toBe('paused');
  expect(oci(bundle, 'resume', 'one').status).toBe(0);
  expect(oci(bundle, 'kill', '--all', 'one', 'KILL').status).toBe(0);
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
});

test('update: the property and the file, in both directions', () => {
  using bundle = container(limited);
  oci(bundle, 'create', 'one');
  for (const [memory, quota] of [
    [32 << 20, 10_000],
    [128 << 20, 40_000],
  ] as const) {
    const update = oci(bundle, 'update', '--memory', String(memory), '--cpu-quota', String(quota), 'one');
    expect(update).toMatchObject({ status: 0, stderr: '' });
    const name = v2 ? 'MemoryMax' : 'MemoryLimit';
    expect(show(unit, name, 'TasksMax', 'CPUQuotaPerSecUSec')).toEqual({
      [name]: String(memory),
      TasksMax: '33',
      CPUQuotaPerSecUSec: `${quota / 50}ms`,
    });
    expect(read('memory', memoryMax)).toBe(String(memory));
    expect(read('cpu', { v1: 'cpu.cfs_quota_us', v2: 'cpu.max' }).split(' ')[0]).toBe(String(quota));
  }
});

test('v2: idle, and no more: the weight among the neighbours is the scope’s', (ctx) => {
  ctx.skip(!v2, 'needs cgroup v2 alone');
  using bundle = container((spec) => {
    spec.linux = { ...spec.linux, resources: { cpu: { idle: 1 } } };
  });
  expect(oci(bundle, 'create', 'one')).toMatchObject({ status: 0 });
  expect(show(unit, 'CPUWeight')).toEqual({ CPUWeight: 'idle' });
  expect(oci(bundle, 'update', '--cpu-idle', '0', '--cpu-share', '512', 'one')).toMatchObject({ status: 0 });
  expect(show(unit, 'CPUWeight')).toEqual({ CPUWeight: '59' });
});

test('a property that an annotation asks for; one that systemd does not know fails, and nothing is left', () => {
  using bundle = container((spec) => {
    spec.annotations = { 'org.systemd.property.TimeoutStopUSec': 'uint64 7000000' };
  });
  oci(bundle, 'create', 'one');
  expect(show(unit, 'TimeoutStopUSec')).toEqual({ TimeoutStopUSec: '7s' });
  using other = container((spec) => {
    spec.linux = { ...spec.linux, cgroupsPath: `${slice}:tslabtest:other` };
    spec.annotations = { 'org.systemd.property.NoSuchThing': 'true' };
  });
  expect(oci(other, 'create', 'one')).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/\| .*NoSuchThing/s),
  });
  expect(list(other.root)).toEqual([]);
  expect(cgroups().map((path) => basename(path))).not.toContain('tslabtest-other.scope');
});

test('delete: the name is free at once', () => {
  using bundle = container();
  for (const flag of ['--systemd-cgroup', '--cgroup-manager=systemd']) {
    expect(bundle.oci(flag, 'create', 'one')).toMatchObject({ status: 0, stderr: '' });
    expect(oci(bundle, 'delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
    expect([...units(), ...cgroups()]).toEqual([]);
  }
});

test('a scope of that name is somebody else’s: refused, and left alone', () => {
  using first = container();
  oci(first, 'create', 'one');
  using second = container();
  expect(oci(second, 'create', 'two')).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/tslabtest-web\.scope.*already/s),
  });
  expect(show(unit, 'ActiveState')).toEqual({ ActiveState: 'active' });
  expect(first.state('one').status).toBe('created');
  expect(list(second.root)).toEqual([]);
});

test('a create that fails later takes its scope back', () => {
  using bundle = container(() => {}, ['no-such-program']);
  expect(oci(bundle, 'create', 'one')).toMatchObject({
    status: 125,
    stderr: expect.stringContaining('no-such-program'),
  });
  expect([...units(), ...cgroups()]).toEqual([]);
});

test('all of it killed at once: what is left is told, and deleted', async () => {
  using bundle = container(limited, ['sh', '-c', 'sleep 99 & sleep 99 & wait']);
  oci(bundle, 'create', 'one');
  oci(bundle, 'start', 'one');
  await expect.poll(() => members(directory('pids')).length).toBe(3);
  for (const pid of members(directory('pids'))) spawnSync('kill', ['-9', String(pid)]);
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  await expect.poll(() => units()).toEqual([]);
  expect(oci(bundle, 'delete', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(list(bundle.root)).toEqual([]);
});

test('asker and launcher killed: delete --force finds all that is left', async () => {
  using bundle = container(limited);
  const asker = spawn(
    join(packageRoot, 'bin/tslab-oci'),
    ['--systemd-cgroup', '--root', bundle.root, 'run', 'one'],
    {
      cwd: bundle.dir,
      stdio: 'ignore',
    },
  );
  const gone = new Promise((resolve) => asker.once('exit', resolve));
  await expect.poll(() => list(bundle.root)).toContain('one.json');
  await expect.poll(() => bundle.state('one').status).toBe('running');
  const { pid } = bundle.state('one');
  const launcher = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  asker.kill('SIGSTOP'); // so that it can't clean up after the launcher
  process.kill(launcher, 'SIGKILL');
  asker.kill('SIGKILL');
  await gone;
  expect(list(bundle.root)).toContain('one.ledger');
  expect(oci(bundle, 'delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(list(bundle.root)).toEqual([]);
});

test('the root slice, whose name looks like an option', () => {
  using bundle = container((spec) => {
    spec.linux = { ...spec.linux, cgroupsPath: '-:tslabtest:web' };
  });
  expect(oci(bundle, 'create', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(show(unit, 'ControlGroup', 'Slice')).toEqual({ ControlGroup: `/${unit}`, Slice: '-.slice' });
});

test('killed for want of memory: the name is free all the same', async () => {
  using bundle = container(limited, ['sh', '-c', 'tail /dev/zero']);
  oci(bundle, 'create', 'one');
  oci(bundle, 'start', 'one');
  await expect.poll(() => bundle.state('one').status, { timeout: 20_000 }).toBe('stopped');
  expect(oci(bundle, 'delete', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(units()).toEqual([]);
});

test('a config cannot claim to have been settled on', () => {
  using bundle = new Bundle().config(['sleep', '100'], (spec) => {
    spec.annotations = { 'org.tslab.systemd': 'system' };
    spec.linux = { ...spec.linux, cgroupsPath: '/tslabtest-plain/x' };
  });
  expect(bundle.oci('create', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(Object.values(cgroupPaths(bundle.state('one').pid))).toContain('/tslabtest-plain/x');
});

test('another path is refused, and says how it should look', () => {
  using bundle = container((spec) => {
    spec.linux = { ...spec.linux, cgroupsPath: '/a/b' };
  });
  expect(oci(bundle, 'create', 'one')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('slice:prefix:name'),
  });
});

test('podman with the systemd cgroup manager: limits, stats, exec, pause, and the same container again', (ctx) => {
  ctx.skip(spawnSync('podman', ['--version']).status !== 0, 'needs podman');
  const folder = mkdtempSync(join(tmpdir(), 'tslab-podman-'));
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const runtime = ['--runtime', join(packageRoot, 'bin/tslab-oci'), '--cgroup-manager', 'systemd'];
  const podman = (args: string[], input = Buffer.alloc(0)) => {
    const done = spawnSync('podman', [...store, ...runtime, ...args], { input, timeout: 25_000 });
    return { status: done.status, stdout: done.stdout.toString().trim(), stderr: done.stderr.toString() };
  };
  const rootfs = join(packageRoot, 'dist/rootfs/default');
  podman(['import', '-', 'box'], spawnSync('tar', ['-C', rootfs, '-c', '.'], { maxBuffer: 1 << 28 }).stdout);
  const limits = [
    '--memory',
    '64m',
    '--pids-limit',
    '33',
    '--ulimit',
    'nofile=512:512',
    '--ulimit',
    'nproc=512:512',
  ];
  const run = ['run', '--detach', '--name', 'web', '--network', 'none', ...limits, 'box', 'sleep', '100'];
  try {
    const { stdout: id, stderr } = podman(run);
    const unit = `libpod-${id}.scope`;
    expect(show(unit, 'ActiveState', 'Slice', 'TasksMax'), stderr).toEqual({
      ActiveState: 'active',
      Slice: 'machine.slice',
      TasksMax: '33',
    });
    expect(podman(['exec', 'web', 'cat', '/proc/self/cgroup']).stdout).toMatch(
      // Under v1 podman asks for no cgroup namespace.
      v2 ? /^0::\/$/ : new RegExp(`:/machine\\.slice/${unit}/container$`, 'm'),
    );
    expect(podman(['stats', '--no-stream', '--format', '{{.PIDs}} {{.MemUsage}}', 'web']).stdout).toMatch(
      /^1 .* \/ 67\.11MB$/,
    );
    expect(podman(['pause', 'web']).status).toBe(0);
    expect(podman(['unpause', 'web']).status).toBe(0);
    podman(['stop', '--time', '0', 'web']);
    expect(podman(['start', 'web'])).toMatchObject({ status: 0 });
    expect(show(unit, 'ActiveState')).toEqual({ ActiveState: 'active' });
    podman(['rm', '--force', '--time', '0', 'web']);
    expect(show(unit, 'LoadState')).toEqual({ LoadState: 'not-found' });
  } finally {
    podman(['rm', '--all', '--force', '--time', '0']);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an ordinary user: a scope of their own systemd, with limits where they were delegated', async (ctx) => {
  ctx.skip(process.env.V2_DIR === undefined, 'needs a user of the machine’s own');
  using user = new OrdinaryUser();
  using bundle = container(v2 ? limited : undefined);
  for (const file of ['passwd', 'group'])
    appendFileSync(
      `/etc/${file}`,
      file === 'passwd' ? `learner:x:${UID}:${UID}::/:/bin/sh\n` : `learner:x:${UID}:\n`,
    );
  expect(spawnSync('systemctl', ['start', `user@${UID}`]).status).toBe(0);
  chmodSync(bundle.dir, 0o755);
  chownSync(bundle.dir, UID, UID);
  const spec: Spec = JSON.parse(readFileSync(bundle.path('config.json'), 'utf8'));
  const { devices: _, ...resources } = spec.linux?.resources ?? {};
  const mappings = [{ containerID: 0, hostID: UID, size: 1 }];
  const namespaces = (spec.linux?.namespaces ?? []).concat({ type: 'user' });
  spec.linux = { ...spec.linux, resources, namespaces, uidMappings: mappings, gidMappings: mappings };
  writeFileSync(bundle.path('config.json'), JSON.stringify(spec));
  const runtime = `/run/user/${UID}`;
  const asUser = (...words: string[]) => user.run('env', `XDG_RUNTIME_DIR=${runtime}`, ...words);
  const theirs = (...words: string[]) =>
    asUser(join(packageRoot, 'bin/tslab-oci'), '--systemd-cgroup', '--root', bundle.root, ...words);
  const base = `/user.slice/user-${UID}.slice/user@${UID}.service`;

  const created = asUser(
    'sh',
    '-c',
    '"$@" </dev/null >/dev/null 2>"$0"',
    join(bundle.dir, 'said'),
    join(packageRoot, 'bin/tslab-oci'),
    '--systemd-cgroup',
    '--root',
    bundle.root,
    'create',
    '--bundle',
    bundle.dir,
    'one',
  );
  expect(readFileSync(join(bundle.dir, 'said'), 'utf8')).toBe('');
  expect(created.status).toBe(0);
  const { pid } = JSON.parse(theirs('state', 'one').stdout);
  expect(cgroupPaths(pid)[v2 ? '' : 'name=systemd']).toBe(`${base}${own}`);
  const say = asUser('systemctl', '--user', 'show', unit, '-p', 'ControlGroup,Delegate,MemoryMax').stdout;
  expect(say).toContain(`ControlGroup=${base}${scope}`);
  expect(theirs('start', 'one')).toMatchObject({ status: 0, stderr: '' });
  if (v2) {
    expect(say).toContain(`MemoryMax=${64 << 20}`);
    expect(theirs('update', '--memory', String(32 << 20), 'one')).toMatchObject({ status: 0, stderr: '' });
    expect(read('memory', memoryMax, `${base}${own}`)).toBe(String(32 << 20));
    // This test is no process of their systemd's: the kernel lets nobody but root across.
    expect(theirs('exec', 'one', 'true')).toMatchObject({
      stderr: expect.stringContaining('systemd-run --user --scope'),
    });
  }
  const across = [
    'systemd-run',
    '--user',
    '--scope',
    '--quiet',
    join(packageRoot, 'bin/tslab-oci'),
    '--root',
    bundle.root,
  ];
  expect(asUser(...across, 'exec', 'one', 'cat', '/proc/self/cgroup')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/:\/$/m),
  });
  expect(theirs('delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(bundle.root)).toEqual([]);
  expect(asUser('systemctl', '--user', 'list-units', '--all', '--no-legend', 'tslabtest-*').stdout).toBe('');
});
