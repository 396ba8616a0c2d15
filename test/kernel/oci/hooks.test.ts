/** config.md, "POSIX-platform Hooks", and runtime.md, "Lifecycle": a test for each MUST. */
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import type { Hook, HookPoint } from '../../../src/oci/spec.ts';
import { Bundle, list } from '../../support/oci.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

const points: HookPoint[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
];

/** A hook that runs a script of the host's shell. */
const sh = (script: string, more: Partial<Hook> = {}): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env: ['PATH=/usr/bin:/bin'],
  ...more,
});

/** Each hook writes a line: its name, its mount namespace, the state that it read. The directory is there on both sides. */
function reporting(bundle: Bundle, args = ['sleep', '100']): Bundle {
  writeFileSync(bundle.path('report'), '');
  return bundle.config(args, (spec) => {
    spec.mounts?.push({ destination: bundle.dir, type: 'bind', source: bundle.dir, options: ['rbind'] });
    spec.hooks = Object.fromEntries(points.map((point) => [point, [report(bundle, point)]]));
  });
}
const report = (bundle: Bundle, name: string): Hook =>
  sh(`echo ${name} $(readlink /proc/self/ns/mnt) $(cat) >>${bundle.path('report')}`);

const reports = (bundle: Bundle) =>
  readFileSync(bundle.path('report'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', namespace = '', ...state] = line.split(' ');
      return { name, namespace, state: JSON.parse(state.join(' ')) };
    });

test('each is run at its point, in its namespaces, with the state', async () => {
  using bundle = reporting(new Bundle());
  expect(bundle.oci('create', 'one')).toMatchObject({ status: 0, stderr: '' });
  const { pid } = bundle.state('one');
  const own = readlinkSync(`/proc/${pid}/ns/mnt`);
  const host = readlinkSync('/proc/self/ns/mnt');
  const common = { id: 'one', bundle: bundle.dir, ociVersion: '1.3.0' };
  expect(reports(bundle)).toEqual([
    { name: 'prestart', namespace: host, state: { ...common, status: 'creating', pid } },
    { name: 'createRuntime', namespace: host, state: { ...common, status: 'creating', pid } },
    { name: 'createContainer', namespace: own, state: { ...common, status: 'creating', pid } },
  ]);
  expect(bundle.oci('start', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(reports(bundle).slice(3)).toEqual([
    { name: 'startContainer', namespace: own, state: { ...common, status: 'created', pid: 1 } },
    { name: 'poststart', namespace: host, state: { ...common, status: 'running', pid } },
  ]);
  bundle.oci('kill', 'one', 'KILL');
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  expect(reports(bundle)).toHaveLength(5);
  expect(bundle.oci('delete', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(reports(bundle).slice(5)).toEqual([
    { name: 'poststop', namespace: host, state: { ...common, status: 'stopped', pid: 0 } },
  ]);
});

test('run has them all as well, in that order', () => {
  using bundle = reporting(new Bundle(), ['true']);
  expect(bundle.oci('run', 'one').status).toBe(0);
  expect(reports(bundle).map(({ name }) => name)).toEqual(points);
});

test('hooks of a point are run in the order of the list', () => {
  using bundle = new Bundle();
  writeFileSync(bundle.path('report'), '');
  bundle.config(['true'], (spec) => {
    spec.hooks = { createRuntime: ['a', 'b', 'c'].map((name) => report(bundle, name)) };
  });
  bundle.oci('run', 'one');
  expect(reports(bundle).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('createRuntime comes when all is mounted and the root has not moved', () => {
  using bundle = new Bundle();
  const look = 'sed "s/.*\\"pid\\":\\([0-9]*\\).*/\\1/" | { read pid; cat /proc/$pid/mountinfo; }';
  bundle.config(['true'], (spec) => {
    spec.hooks = { createRuntime: [sh(`${look} >${bundle.path('mounts')}`)] };
  });
  bundle.oci('run', 'one');
  expect(readFileSync(bundle.path('mounts'), 'utf8')).toContain(` ${bundle.path('rootfs')}/dev/shm `);
});

test.each(['prestart', 'createRuntime', 'createContainer'] as const)(
  'a %s hook that fails: create is an error, the container is destroyed, poststop is run',
  (point) => {
    using bundle = failing(point);
    const { status, stderr } = bundle.oci('create', 'one');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(new RegExp(`ECANCELED .*hooks\\.${point}\\[0\\]`));
    expect(list(bundle.root)).toEqual([]);
    expect(existsSync(bundle.path('stopped'))).toBe(true);
  },
);

test('a startContainer hook that fails: start is an error, and the program never runs', async () => {
  using bundle = failing('startContainer', ['touch', '/ran']);
  expect(bundle.oci('create', 'one').status).toBe(0);
  const { status, stderr } = bundle.oci('start', 'one');
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/one: .*\/bin\/sh/);
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  expect(existsSync(bundle.path('rootfs/ran'))).toBe(false);
});

test('a poststart hook that fails: start is an error, and the container is stopped', async () => {
  using bundle = failing('poststart');
  bundle.oci('create', 'one');
  expect(bundle.oci('start', 'one').status).not.toBe(0);
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
});

test('a poststop hook that fails is a warning, and the others are run', async () => {
  using bundle = new Bundle();
  bundle.config(['true'], (spec) => {
    spec.hooks = { poststop: [sh('exit 3'), sh(`touch ${bundle.path('stopped')}`)] };
  });
  bundle.oci('create', 'one');
  bundle.oci('start', 'one');
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  expect(bundle.oci('delete', 'one')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/warning: .*poststop\[0\]/),
  });
  expect(existsSync(bundle.path('stopped'))).toBe(true);
  expect(list(bundle.root)).toEqual([]);
});

test('a hook that takes longer than its timeout is ended, and has failed', () => {
  using bundle = new Bundle().config(['true'], (spec) => {
    spec.hooks = { createRuntime: [sh('sleep 100', { timeout: 1 })] };
  });
  expect(bundle.oci('create', 'one').stderr).toMatch(/ETIMEDOUT/);
  expect(list(bundle.root)).toEqual([]);
});

test('a hook gets its own environment and nothing else', () => {
  using bundle = new Bundle();
  bundle.config(['true'], (spec) => {
    spec.hooks = {
      createRuntime: [
        sh(`env >${bundle.path('env')}; ls /proc/self/fd >${bundle.path('fds')}`, { env: ['A=b'] }),
      ],
    };
  });
  bundle.oci('run', 'one');
  expect(
    readFileSync(bundle.path('env'), 'utf8')
      .split('\n')
      .filter((line) => /^[A-Z]+=/.test(line)),
  ).toEqual(expect.arrayContaining(['A=b']));
  expect(readFileSync(bundle.path('env'), 'utf8')).not.toMatch(/^(HOME|NODE_OPTIONS)=/m);
});

function failing(point: HookPoint, args = ['sleep', '100']): Bundle {
  const bundle = new Bundle();
  return bundle.config(args, (spec) => {
    spec.hooks = { [point]: [sh('exit 3')], poststop: [sh(`touch ${bundle.path('stopped')}`)] };
  });
}
