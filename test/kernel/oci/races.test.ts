/** What happens when commands meet, and when one is killed: one wins, nothing is lost, nothing is left. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { startTimeOf } from '../../../src/evidence/process.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { Bundle, list } from '../../support/oci.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const alive = (pid: number) => startTimeOf(pid) !== undefined;
/** Processes whose command line names this bundle, which all that works for it has in its arguments or its environment. */
const workers = (bundle: Bundle) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(bundle.dir);
      } catch {
        return false;
      }
    });

test('of many creates of one id one wins, and its container lives', async () => {
  using bundle = new Bundle().config(['sleep', '100']);
  for (let round = 0; round < 3; round++) {
    const ended = await Promise.all(Array.from({ length: 8 }, () => bundle.begin('create', 'one')));
    const losers = ended.filter(({ status }) => status !== 0);
    expect(losers).toHaveLength(7);
    for (const { stderr } of losers) expect(stderr).toMatch(/container with given ID already exists: one/);
    const { status, pid } = bundle.state('one');
    expect([status, alive(pid)]).toEqual(['created', true]);
    expect(bundle.oci('start', 'one').status).toBe(0);
    expect(bundle.oci('delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
    expect(list(bundle.root)).toEqual([]);
  }
});

test('of many starts at once one wins, and the program runs once', async () => {
  using bundle = new Bundle().config(['sh', '-c', 'echo I run; exec sleep 100']);
  bundle.oci('create', 'one');
  const ended = await Promise.all(Array.from({ length: 6 }, () => bundle.begin('start', 'one')));
  expect(ended.filter(({ status }) => status === 0)).toHaveLength(1);
  for (const { status, stderr } of ended)
    if (status !== 0)
      expect(stderr).toMatch(/cannot start a container that is (running|not created any more): one/);
  await expect.poll(() => bundle.output()).toBe('I run\n');
});

test('many deletes at once: none fails that is by force, poststop is run once', async () => {
  using bundle = new Bundle();
  const line = bundle.path('stopped');
  bundle.config(['sleep', '100'], (spec) => {
    spec.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', `echo once >>${line}`] }] };
  });
  for (const words of [['delete', '--force'], ['delete']]) {
    bundle.oci('create', 'one');
    bundle.oci('start', 'one');
    bundle.oci('kill', 'one', 'KILL');
    await expect.poll(() => bundle.state('one').status).toBe('stopped');
    writeFileSync(line, '');
    const ended = await Promise.all(Array.from({ length: 5 }, () => bundle.begin(...words, 'one')));
    for (const { status, stderr } of ended)
      if (status !== 0)
        expect([words.length, stderr]).toEqual([1, expect.stringMatching(/container does not exist: one/)]);
    expect(readFileSync(line, 'utf8')).toBe('once\n');
    expect(list(bundle.root)).toEqual([]);
  }
});

test('kill, state, list and update while it is deleted: each has its effect or says why not', async () => {
  using bundle = new Bundle().config(['sleep', '100']);
  for (let round = 0; round < 3; round++) {
    bundle.oci('create', 'one');
    bundle.oci('start', 'one');
    const [deleted, ...others] = await Promise.all([
      bundle.begin('delete', '--force', 'one'),
      bundle.begin('kill', 'one', 'TERM'),
      bundle.begin('kill', '--all', 'one', 'KILL'),
      bundle.begin('state', 'one'),
      bundle.begin('update', '--pids-limit', '50', 'one'),
      bundle.begin('list', '--format', 'json'),
    ]);
    expect(deleted).toMatchObject({ status: 0, stderr: '' });
    for (const { status, stderr } of others)
      if (status !== 0) expect(stderr).toMatch(/does not exist|not running|ENOENT|ENODEV|no cgroup/);
    expect(list(bundle.root)).toEqual([]);
  }
});

test('kill never reaches who has got the number', async () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  const file = join(bundle.root, 'one.json');
  const state = JSON.parse(readFileSync(file, 'utf8'));
  await sleep(50); // a clock tick later, as whoever gets a number again
  const stranger = spawn('sleep', ['100'], { stdio: 'ignore' });
  writeFileSync(file, JSON.stringify({ ...state, pid: stranger.pid }));
  expect(bundle.state('one').status).toBe('stopped');
  expect(bundle.oci('kill', 'one', 'KILL').stderr).toMatch(/container not running: one/);
  expect(bundle.oci('delete', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(alive(stranger.pid ?? 0)).toBe(true);
  expect(alive(state.pid)).toBe(false);
  stranger.kill();
});

test.each([0, 15, 25, 35, 45, 55, 65, 80])(
  'create killed after %i ms: delete --force takes all back',
  async (ms) => {
    using bundle = new Bundle().config(['sleep', '100']);
    const child = spawn(
      join(packageRoot, 'bin/tslab-oci'),
      ['--root', bundle.root, 'create', '--bundle', bundle.dir, 'one'],
      {
        stdio: 'ignore',
      },
    );
    await sleep(ms);
    child.kill('SIGKILL');
    expect(bundle.oci('list').status).toBe(0);
    await expect.poll(() => bundle.oci('delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
    await expect.poll(() => list(bundle.root)).toEqual([]);
    await expect.poll(() => workers(bundle)).toEqual([]);
    expect(cgroups('one')).toEqual([]);
    expect(bundle.oci('create', 'one')).toMatchObject({ status: 0, stderr: '' });
  },
);

test.each([30, 40, 45, 50, 55, 60])('create and its launcher killed after %i ms: the same', async (ms) => {
  using bundle = new Bundle().config(['sleep', '100']);
  const child = spawn(
    join(packageRoot, 'bin/tslab-oci'),
    ['--root', bundle.root, 'create', '--bundle', bundle.dir, 'one'],
    {
      stdio: 'ignore',
    },
  );
  await sleep(ms);
  child.kill('SIGSTOP'); // so that it does not clean up
  for (const pid of workers(bundle).filter((pid) => pid !== child.pid)) process.kill(pid, 'SIGKILL');
  child.kill('SIGKILL');
  await expect.poll(() => bundle.oci('delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
  await expect.poll(() => list(bundle.root)).toEqual([]);
  await expect.poll(() => workers(bundle)).toEqual([]);
  expect(cgroups('one')).toEqual([]);
});

/** A config names no cgroup, so it is one of tslab's own (src/runtime/own-cgroup.ts). */
const cgroups = (id: string) =>
  ['', 'pids', 'memory', 'unified']
    .map((name) => join('/sys/fs/cgroup', name, `tslab-${id}`))
    .filter((path) => existsSync(path));

test.each(['a', '_b', 'x.y-z_1', 'a+b', '0', 'n'.repeat(128), 'json.json', 'one.start'])(
  'an id such as %s',
  (id) => {
    using bundle = new Bundle().config(['sleep', '100']);
    expect(bundle.oci('create', id)).toMatchObject({ status: 0, stderr: '' });
    expect(bundle.state(id)).toMatchObject({ id, status: 'created' });
    expect(bundle.oci('list', '-q').stdout).toBe(`${id}\n`);
    expect(bundle.oci('delete', '--force', id)).toMatchObject({ status: 0, stderr: '' });
    expect(list(bundle.root)).toEqual([]);
  },
);

test.each(['', '.', '..', 'a/b', '../one', 'a b', 'ü', 'a\nb', '.hidden', 'n'.repeat(129)])(
  'no id: %j',
  (id) => {
    using bundle = new Bundle().config(['sleep', '100']);
    writeFileSync(bundle.path('one.ledger'), 'not ours');
    for (const words of [['create'], ['state'], ['delete', '--force'], ['kill'], ['start']])
      expect(bundle.oci(...words, '--', id)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('it takes letters'),
      });
    expect(existsSync(bundle.path('one.ledger'))).toBe(true);
    expect(list(bundle.root)).toEqual([]);
  },
);

test('a state directory that is not there is made by create alone', () => {
  using bundle = new Bundle().config(['true']);
  for (const words of [['list'], ['state', 'one'], ['delete', '--force', 'one'], ['kill', '--regex', '.']])
    bundle.oci(...words);
  expect(existsSync(bundle.root)).toBe(false);
  expect(bundle.oci('create', 'one').status).toBe(0);
});

test('a state directory that can not be written: an error with its path', () => {
  using bundle = new Bundle().config(['true']);
  const words = ['--root', '/proc/sys/tslab', 'create', 'one'];
  expect(bundle.oci(...words)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/(ENOENT|EACCES|EPERM).*\/proc\/sys\/tslab/),
  });
  mkdirSync(bundle.root);
  chmodSync(bundle.root, 0o700);
  writeFileSync(join(bundle.root, 'two.json'), '{ torn');
  expect(bundle.oci('list', '-f', 'json').stdout).toBe('[]\n');
  expect(bundle.oci('state', 'two').stderr).toMatch(/container does not exist: two/);
  expect(bundle.oci('delete', '--force', 'two').status).toBe(0);
  expect(list(bundle.root)).toEqual([]);
});
