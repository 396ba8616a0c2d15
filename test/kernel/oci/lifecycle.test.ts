/** The operations of runtime.md, by the command line that engines use; judged from outside. */
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { compiler } from '../../../src/oci/validator.ts';
import { Bundle, list } from '../../support/oci.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

test('create makes everything and does not run the program; start runs it', async () => {
  using bundle = new Bundle().config(['sh', '-c', 'echo I run; exec sleep 100']);
  expect(bundle.oci('create', 'one')).toMatchObject({ status: 0, stderr: '' });
  const created = bundle.state('one');
  expect(created).toMatchObject({ id: 'one', status: 'created', bundle: bundle.dir, ociVersion: '1.3.0' });
  expect(readlinkSync(`/proc/${created.pid}/ns/pid`)).not.toBe(readlinkSync('/proc/self/ns/pid'));
  expect(readlinkSync(`/proc/${created.pid}/root`)).not.toBe(readlinkSync('/proc/self/root/proc/self/exe'));
  expect(bundle.output()).toBe('');
  expect(bundle.oci('start', 'one')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  await expect.poll(() => bundle.output()).toBe('I run\n');
  expect(bundle.state('one')).toMatchObject({ status: 'running', pid: created.pid });
});

test('its parent is whoever called, and not the launcher', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  const { pid } = bundle.state('one');
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  expect(readFileSync(`/proc/${parent}/comm`, 'utf8')).not.toMatch(/launch/);
});

test('kill sends the signal that it names; stopped is told, and delete takes all back', async () => {
  using bundle = new Bundle().config(['sh', '-c', 'trap "exit 0" USR1; while :; do sleep 0.02; done']);
  bundle.oci('create', 'one');
  bundle.oci('start', 'one');
  const { pid } = bundle.state('one');
  await expect.poll(() => /^SigCgt:.*[1-9a-f]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))).toBe(true);
  expect(bundle.oci('kill', 'one', 'SIGUSR1').status).toBe(0);
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  expect(bundle.oci('kill', 'one', 'KILL')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('not running'),
  });
  expect(bundle.oci('delete', 'one')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(bundle.oci('state', 'one')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('container does not exist'),
  });
  expect(list(bundle.root)).toEqual([]);
});

test('runtime.md, "Start": only what is created can be started', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  expect(bundle.oci('start', 'one').stderr).toMatch(/container does not exist: one/);
  bundle.oci('create', 'one');
  bundle.oci('start', 'one');
  expect(bundle.oci('start', 'one')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/running: one/),
  });
});

test('runtime.md, "Delete": what has not stopped is not deleted, unless by force', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  const { pid } = bundle.state('one');
  expect(bundle.oci('delete', 'one')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/cannot delete container one that is not stopped: created/),
  });
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  expect(bundle.oci('delete', '--force', 'one').status).toBe(0);
  expect(bundle.oci('delete', '--force', 'one').status).toBe(0);
  expect(list(bundle.root)).toEqual([]);
});

test('runtime.md, "Create": an id is there once', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  expect(bundle.oci('create', 'one')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('already exists: one'),
  });
  expect(bundle.state('one').status).toBe('created');
});

test.each([
  ['nosuch', 127, /access\("nosuch", X_OK\): ENOENT/],
  ['/etc/passwd', 126, /EACCES/],
])('create fails for a program that could not start: %s', (program, _code, message) => {
  using bundle = new Bundle().config([program]);
  const { status, stderr } = bundle.oci('create', 'one');
  expect(status).not.toBe(0);
  expect(stderr).toMatch(message);
  expect(list(bundle.root)).toEqual([]);
});

test('the config is read once: what is changed after create changes nothing', async () => {
  using bundle = new Bundle().config(['echo', 'first']);
  bundle.oci('create', 'one');
  bundle.config(['echo', 'second']);
  bundle.oci('start', 'one');
  await expect.poll(() => bundle.output()).toBe('first\n');
});

test('a file with the pid, renamed into place', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', '--pid-file', bundle.path('pid'), 'one');
  expect(readFileSync(bundle.path('pid'), 'utf8')).toBe(String(bundle.state('one').pid));
});

test('an error is the last line of the log, as JSON when asked for', () => {
  using bundle = new Bundle();
  const log = bundle.path('log');
  bundle.oci('--log', log, '--log-format', 'json', 'state', 'nosuch');
  const last = JSON.parse(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ level: 'error', msg: 'container does not exist: nosuch' });
});

test('exec runs beside, by arguments or by a process object', async () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  bundle.oci('start', 'one');
  expect(bundle.oci('exec', 'one', 'sh', '-c', 'cat /proc/1/comm; exit 6')).toMatchObject({
    status: 6,
    stdout: 'sleep\n',
  });
  const object = { args: ['sleep', '50'], cwd: '/', env: ['PATH=/bin'] };
  writeFileSync(bundle.path('process.json'), JSON.stringify(object));
  const pidFile = bundle.path('exec-pid');
  bundle.oci('exec', '--detach', '--process', bundle.path('process.json'), '--pid-file', pidFile, 'one');
  const pid = readFileSync(pidFile, 'utf8');
  expect(list(bundle.root).filter((name) => name.includes('exec'))).toEqual([]);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('sleep\x0050\0');
  expect(readlinkSync(`/proc/${pid}/ns/pid`)).toBe(readlinkSync(`/proc/${bundle.state('one').pid}/ns/pid`));
});

test('run is create, start, wait and delete in one', () => {
  using bundle = new Bundle().config(['sh', '-c', 'echo done; exit 4']);
  expect(bundle.oci('run', 'one')).toMatchObject({ status: 4, stdout: 'done\n' });
  expect(list(bundle.root)).toEqual([]);
});

test.each([
  ['features', 'features-schema.json'],
  ['state', 'state-schema.json'],
])('%s prints what the specification describes in %s', (command, schema) => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  const printed = bundle.oci(...(command === 'state' ? ['state', 'one'] : [command]));
  const validate = compiler().getSchema(schema);
  expect(validate?.(JSON.parse(printed.stdout)), JSON.stringify(validate?.errors)).toBe(true);
});

test('features name every namespace, hook and option that is honoured', () => {
  using bundle = new Bundle();
  const told = JSON.parse(bundle.oci('features').stdout);
  expect(told.hooks).toHaveLength(6);
  expect(told.linux.namespaces).toEqual([...told.linux.namespaces].sort());
  expect(told.mountOptions).toEqual(expect.arrayContaining(['rro', 'tmpcopyup', 'rslave', 'idmap']));
  expect(told.linux.seccomp.actions).toContain('SCMP_ACT_NOTIFY');
});

test('pause stops what runs, and resume lets it go on', async () => {
  using bundle = new Bundle().config(['sh', '-c', 'while :; do date +%s%N; sleep 0.02; done']);
  bundle.oci('create', 'one');
  expect(bundle.oci('pause', 'one').stderr).toMatch(/cannot pause a container that is created/);
  bundle.oci('start', 'one');
  await expect.poll(() => bundle.output().length).toBeGreaterThan(0);
  expect(bundle.oci('pause', 'one').status).toBe(0);
  expect(bundle.state('one').status).toBe('paused');
  const before = bundle.output();
  await new Promise((done) => setTimeout(done, 200));
  expect(bundle.output()).toBe(before);
  expect(bundle.oci('resume', 'one').status).toBe(0);
  await expect.poll(() => bundle.output().length).toBeGreaterThan(before.length);
});

test('update changes a limit of what runs', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  expect(bundle.oci('update', '--pids-limit', '33', 'one')).toMatchObject({ status: 0, stderr: '' });
  const { data } = JSON.parse(bundle.oci('events', '--stats', 'one').stdout);
  expect(data.pids.limit).toBe(33);
  expect(bundle.oci('update', '--memory', 'much', 'one').stderr).toMatch(/"much" is not an integer/);
});

test('a list of what is there', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', 'one');
  bundle.oci('create', 'two');
  expect(bundle.oci('list', '--quiet').stdout.split('\n').sort()).toEqual(['', 'one', 'two']);
  expect(JSON.parse(bundle.oci('list', '--format', 'json').stdout)).toHaveLength(2);
});

test('--systemd-cgroup without systemd is refused and says what to do; commands on containers that are there are not', (ctx) => {
  ctx.skip(existsSync('/run/systemd/system'), 'systemd runs here');
  using bundle = new Bundle().config(['sleep', '100']);
  expect(bundle.oci('--systemd-cgroup', 'create', 'one')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/systemd does not run here; .*cgroupfs/),
  });
  expect(list(bundle.root)).toEqual([]);
  bundle.oci('create', 'one');
  expect(bundle.oci('--systemd-cgroup', 'delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
});
