/** Each option of tslab-oci does what it says; judged by what /proc and /sys show, and by what the program sees. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Spec } from '../../../src/oci/spec.ts';
import { Bundle } from '../../support/oci.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

const file = (bundle: Bundle, text: string) => {
  writeFileSync(bundle.path(text), `${text}\n`);
  return bundle.path(text);
};
const running = (args = ['sleep', '100'], change?: (spec: Spec) => void): Bundle => {
  const bundle = new Bundle().config(args, change);
  expect(bundle.oci('create', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(bundle.oci('start', 'one')).toMatchObject({ status: 0, stderr: '' });
  return bundle;
};
test('--preserve-fds: the program has them under the same numbers, and nothing else of ours', () => {
  using bundle = new Bundle().config(['sh', '-c', 'cat <&3; cat <&4; ls /proc/self/fd']);
  const files = [file(bundle, 'three'), file(bundle, 'four')];
  expect(bundle.ociWith({ files }, 'run', '--preserve-fds', '2', 'one').stdout).toBe(
    // 5 is the directory that ls reads
    'three\nfour\n0\n1\n2\n3\n4\n5\n',
  );
  expect(bundle.ociWith({ files }, 'run', 'one').stdout).not.toMatch(/three|four/);
});

test('--preserve-fds: create keeps them until start; exec has its own', async () => {
  using bundle = new Bundle().config(['sh', '-c', 'cat <&3; exec sleep 100']);
  bundle.ociWith({ files: [file(bundle, 'first')] }, 'create', '--preserve-fds', '1', 'one');
  bundle.oci('start', 'one');
  await expect.poll(() => bundle.output()).toBe('first\n');
  const files = [file(bundle, 'second')];
  const { stdout } = bundle.ociWith({ files }, 'exec', '--preserve-fds', '1', 'one', 'sh', '-c', 'cat <&3');
  expect(stdout).toBe('second\n');
});

test.each([
  ['2', /--preserve-fds: descriptor 4 is not open/],
  ['many', /--preserve-fds many: it takes how many/],
])('--preserve-fds %s: what is not there is an error', (count, message) => {
  using bundle = new Bundle().config(['true']);
  const files = [file(bundle, 'three')];
  expect(bundle.ociWith({ files }, 'run', '--preserve-fds', count, 'one').stderr).toMatch(message);
});

test('sd_listen_fds(3): sockets come first, and the program finds its own number', () => {
  using bundle = new Bundle().config([
    'sh',
    '-c',
    'echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $$; cat <&3; cat <&4',
  ]);
  const files = [file(bundle, 'socket'), file(bundle, 'more')];
  const env = 'LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web';
  expect(bundle.ociWith({ files, env }, 'run', '--preserve-fds', '1', 'one').stdout).toBe(
    '1 1 web 1\nsocket\nmore\n',
  );
});

test('sd_listen_fds(3): also where the program is not PID 1', () => {
  const print = ['sh', '-c', 'echo $LISTEN_PID $$'];
  using bundle = running();
  const env = 'LISTEN_FDS=1 LISTEN_PID=$$';
  const files = [file(bundle, 'socket')];
  const [told, own] = bundle
    .ociWith({ files, env }, 'exec', 'one', ...print)
    .stdout.trim()
    .split(' ');
  expect(told).toBe(own);
  expect(told).not.toBe('1');
  bundle.config(print, (spec) => {
    spec.annotations = { 'org.tslab.init': 'true' };
  });
  expect(bundle.ociWith({ files, env }, 'run', 'two').stdout).toBe('2 2\n');
});

test('sd_listen_fds(3): what was meant for another process is not passed on', () => {
  using bundle = new Bundle().config(['sh', '-c', 'echo "$LISTEN_FDS"']);
  const files = [file(bundle, 'socket')];
  expect(bundle.ociWith({ files, env: 'LISTEN_FDS=1 LISTEN_PID=1' }, 'run', 'one').stdout).toBe('\n');
});

test('exec: user, groups, variables, directory', () => {
  using bundle = running(undefined, (spec) => {
    if (spec.process) spec.process.env?.push('A=before');
  });
  const words = ['--user', '1000:7', '-g', '5,6', '--additional-gids', '8', '--env', 'A=b', '--cwd', '/tmp'];
  const { stdout } = bundle.oci('exec', ...words, 'one', 'sh', '-c', 'id -u; id -g; id -G; echo $A; pwd');
  expect(stdout).toBe('1000\n7\n7 5 6 8\nb\n/tmp\n');
  expect(bundle.oci('exec', '--user', 'root', 'one', 'id').stderr).toMatch(/--user root: it takes numbers/);
  expect(bundle.oci('exec', '--env', 'A', 'one', 'id').stderr).toMatch(/--env A: it takes name=value/);
  expect(bundle.oci('exec', 'one').stderr).toMatch(/either a command, or --process/);
});

test('exec --cap: root has it in force, and so has another user', () => {
  using bundle = running(undefined, (spec) => {
    if (spec.process) spec.process.noNewPrivileges = false;
  });
  const effective = (...words: string[]) => {
    const { stdout } = bundle.oci('exec', ...words, 'one', 'grep', 'CapEff', '/proc/self/status');
    return BigInt(`0x${stdout.split('\t')[1]?.trim()}`) & (1n << 12n);
  };
  expect(effective()).toBe(0n);
  expect(effective('--cap', 'CAP_NET_ADMIN')).toBe(1n << 12n);
  expect(effective('-c', 'net_admin', '--user', '1000')).toBe(1n << 12n);
  expect(bundle.oci('exec', '--cap', 'NOSUCH', 'one', 'true').status).not.toBe(undefined);
});

test('exec --no-new-privs', () => {
  using bundle = running(undefined, (spec) => {
    if (spec.process) spec.process.noNewPrivileges = false;
  });
  const flag = (...words: string[]) =>
    bundle.oci('exec', ...words, 'one', 'grep', 'NoNewPrivs', '/proc/self/status').stdout.trim();
  expect([flag(), flag('--no-new-privs')]).toEqual(['NoNewPrivs:\t0', 'NoNewPrivs:\t1']);
});

test.each([
  ['--apparmor', 'process.apparmorProfile', '/sys/module/apparmor/parameters/enabled'],
  ['--process-label', 'process.selinuxLabel', '/sys/fs/selinux/enforce'],
])('exec %s reaches %s', (option, field, module) => {
  using bundle = running();
  const { stderr } = bundle.oci('exec', option, 'tslab-no-such', 'one', 'true');
  // A host with the module refuses the label itself; one without it can't honour any.
  const atWork = existsSync(module) && !readFileSync(module, 'utf8').startsWith('N');
  expect(stderr).toContain(atWork ? 'tslab-no-such' : `${field}:`);
});

test('exec --process: other options change what the file says; a fault is told with its path', () => {
  using bundle = running();
  const object = bundle.path('process.json');
  writeFileSync(
    object,
    JSON.stringify({ args: ['sh', '-c', 'pwd; echo $A'], cwd: '/', env: ['PATH=/bin', 'A=file'] }),
  );
  expect(bundle.oci('exec', '-p', object, '--cwd', '/tmp', '-e', 'A=option', 'one').stdout).toBe(
    '/tmp\noption\n',
  );
  expect(bundle.oci('exec', '-p', object, 'one', 'true').stderr).toMatch(/either a command, or --process/);
  writeFileSync(object, JSON.stringify({ args: ['true'], cwd: 'tmp' }));
  expect(bundle.oci('exec', '-p', object, 'one').stderr).toMatch(
    /process\.json: process\.cwd: must be an absolute path/,
  );
  writeFileSync(object, '{');
  expect(bundle.oci('exec', '-p', object, 'one').stderr).toMatch(/process\.json: .*JSON/);
});

test('exec --cgroup: in a cgroup below the container’s', () => {
  using bundle = running();
  const { pid } = bundle.state('one');
  const [line = ''] = readFileSync(`/proc/${pid}/cgroup`, 'utf8').match(/^.*(?:pids|^0:).*$/m) ?? [];
  const [, controllers = '', path = ''] = line.split(':');
  const own = join('/sys/fs/cgroup', controllers, path);
  mkdirSync(join(own, 'sub'));
  const v1 = controllers !== '';
  const { stdout } = bundle.oci(
    'exec',
    '--cgroup',
    v1 ? 'pids:/sub' : '/sub',
    'one',
    'cat',
    '/proc/self/cgroup',
  );
  expect(stdout).toMatch(v1 ? /:pids:\/sub$/m : /^0::\/sub$/m);
  expect(bundle.oci('exec', '--cgroup', '/nosuch', 'one', 'true').stderr).toMatch(/ENOENT/);
  expect(bundle.oci('exec', '--cgroup', '../..', 'one', 'true').stderr).toMatch(/below the container's own/);
  expect(bundle.oci('delete', '--force', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(own)).toBe(false);
});

test('exec in a paused container is refused; --ignore-paused is born there and goes on with it', async () => {
  using bundle = running();
  bundle.oci('pause', 'one');
  expect(bundle.oci('exec', 'one', 'true').stderr).toMatch(/cannot exec in a paused container/);
  const patient = bundle.begin('exec', '--ignore-paused', 'one', 'sh', '-c', 'exit 8');
  const early = await Promise.race([patient, new Promise((done) => setTimeout(done, 300, 'waits'))]);
  expect(early).toBe('waits');
  bundle.oci('resume', 'one');
  expect((await patient).status).toBe(8);
});

test('a terminal for who stays: exec --tty, and its status', () => {
  using bundle = running();
  expect(bundle.oci('exec', '--tty', 'one', 'sh', '-c', 'tty; exit 3')).toMatchObject({
    status: 3,
    stdout: '/dev/pts/0\r\n',
  });
});

test.each([
  ['run', []],
  ['exec', ['sh', '-c', 'tty; exit 4']],
])('%s --console-socket: somebody else has the terminal, and the status is ours', async (command, args) => {
  using bundle = new Bundle().config(['sh', '-c', 'tty; exit 4'], (spec) => {
    if (spec.process) spec.process.terminal = command === 'run';
  });
  if (command === 'exec') {
    bundle.config(['sleep', '100']);
    bundle.oci('create', 'one');
    bundle.oci('start', 'one');
  }
  const path = bundle.path('console');
  const server = createServer().listen(path);
  const came = new Promise<string>((done) =>
    server.once('connection', (socket) => socket.once('data', (data) => done(String(data)))),
  );
  const words =
    command === 'exec' ? ['--tty', '--console-socket', path, 'one'] : ['--console-socket', path, 'two'];
  const ended = bundle.begin(command, ...words, ...args);
  // Node throws the descriptor away: then the program reads the end of its terminal, and is hung up.
  expect(await came).toBe('/dev/ptmx');
  expect([4, 129]).toContain((await ended).status);
  server.close();
});

test.each(['create', 'run', 'exec'])('%s --pidfd-socket', async (command) => {
  using bundle = command === 'exec' ? running() : new Bundle().config(['true']);
  const path = bundle.path('socket');
  const server = createServer().listen(path);
  const came = new Promise<string>((done) =>
    server.once('connection', (socket) => socket.once('data', (data) => done(String(data)))),
  );
  const words = command === 'exec' ? ['one', 'true'] : ['two'];
  expect(await bundle.begin(command, '--pidfd-socket', path, ...words)).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(await came).toBe('pidfd');
  server.close();
});

test.each(['SIGUSR1', 'usr1', '10', 'RTMIN+2', 'SIGRTMAX-1', '64'])('kill %s', async (signal) => {
  const script =
    'for s in USR1 36 63 64; do trap "echo $s; exit 0" $s; done; echo up; while :; do sleep 0.02; done';
  using bundle = running(['sh', '-c', script]);
  await expect.poll(() => bundle.output()).toBe('up\n');
  expect(bundle.oci('kill', 'one', signal)).toMatchObject({ status: 0, stderr: '' });
  const number = { 'RTMIN+2': '36', 'SIGRTMAX-1': '63', '64': '64' }[signal] ?? 'USR1';
  await expect.poll(() => bundle.output()).toBe(`up\n${number}\n`);
});

test('kill: what is no signal is told, and 0 only asks', () => {
  using bundle = running();
  for (const wrong of ['NOSUCH', '65', '-1', 'RTMIN+31'])
    expect(bundle.oci('kill', 'one', '--', wrong).stderr).toMatch(/signal .*: it takes a name/);
  expect(bundle.oci('kill', 'one', '0')).toMatchObject({ status: 0, stderr: '' });
  expect(bundle.state('one').status).toBe('running');
});

test('kill --all reaches every process, in cgroups below as well', async () => {
  const script =
    'for i in 1 2 3; do (trap "echo got; exit" USR1; while :; do sleep 0.02; done) & done; echo up; exec sleep 100';
  using bundle = running(['sh', '-c', script]);
  await expect.poll(() => bundle.output()).toBe('up\n');
  await new Promise((done) => setTimeout(done, 100));
  expect(bundle.oci('kill', '--all', 'one', 'USR1').status).toBe(0);
  await expect.poll(() => bundle.output()).toBe('up\ngot\ngot\ngot\n');
});

test('kill --all KILL ends a paused one, and is no error when all have ended', async () => {
  using bundle = running(['sh', '-c', 'sleep 100 & exec sleep 100']);
  bundle.oci('pause', 'one');
  expect(bundle.oci('kill', '--all', 'one', 'KILL').status).toBe(0);
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  expect(bundle.oci('kill', '--all', 'one', 'KILL').status).toBe(0);
});

test('kill and delete --regex: all whose ids match, and no other', async () => {
  using bundle = new Bundle().config(['sleep', '100']);
  for (const id of ['web-1', 'web-2', 'db']) bundle.oci('create', id);
  expect(bundle.oci('kill', '--regex', '^web', 'KILL').status).toBe(0);
  await expect
    .poll(() => ['web-1', 'web-2', 'db'].map((id) => bundle.state(id).status))
    .toEqual(['stopped', 'stopped', 'created']);
  expect(bundle.oci('delete', '--regex', '^web').status).toBe(0);
  expect(bundle.oci('list', '-q').stdout).toBe('db\n');
  expect(bundle.oci('delete', '--regex', '.').stderr).toMatch(/not stopped: created/);
  expect(bundle.oci('kill', '--regex', '(').stderr).toMatch(/--regex: /);
});

test('list -f json has what engines read', () => {
  using bundle = new Bundle();
  expect(bundle.oci('list', '-f', 'json').stdout).toBe('[]\n');
  bundle.config(['sleep', '100'], (spec) => {
    spec.annotations = { a: 'b' };
  });
  bundle.oci('create', 'one');
  expect(JSON.parse(bundle.oci('list', '-f', 'json').stdout)).toEqual([
    {
      ociVersion: '1.3.0',
      id: 'one',
      pid: bundle.state('one').pid,
      status: 'created',
      bundle: bundle.dir,
      rootfs: bundle.path('rootfs'),
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      annotations: { a: 'b' },
      owner: 'root',
    },
  ]);
  expect(bundle.oci('list').stdout).toMatch(/^ID +PID +STATUS +BUNDLE +CREATED +OWNER *\none +\d+ +created/);
  expect(bundle.oci('list', '-f', 'yaml').stderr).toMatch(/--format yaml: it takes table or json/);
});

test('ps: numbers as JSON, or the table of ps(1) with its options', () => {
  using bundle = running(['sh', '-c', 'sleep 77 & exec sleep 100']);
  const pids: number[] = JSON.parse(bundle.oci('ps', '--format', 'json', 'one').stdout);
  expect(pids).toContain(bundle.state('one').pid);
  expect(pids).toHaveLength(2);
  expect(JSON.parse(bundle.oci('ps', 'one', '--format', 'json').stdout)).toEqual(pids);
  const rows = bundle.oci('ps', 'one', '-o', 'pid,args').stdout.trim().split('\n').slice(1);
  expect(rows.map((row) => Number(row.trim().split(' ')[0])).sort()).toEqual([...pids].sort());
  expect(bundle.oci('ps', 'one', '-o', 'args').stderr).toMatch(/has no column PID/);
  expect(bundle.oci('ps', 'one', '--nosuch').stderr).toMatch(/ps --nosuch: /);
});

test('ps: the table of ps(1) as it is without options', (ctx) => {
  ctx.skip(spawnSync('ps', ['-ef']).status !== 0, 'this kernel tells ps(1) no boot time');
  using bundle = running(['sh', '-c', 'sleep 77 & exec sleep 100']);
  expect(bundle.oci('ps', 'one').stdout).toMatch(/^UID +PID .*\n.*sleep 100\n.*sleep 77\n$/);
});

test('events: the time between two lines, and the shape that engines parse', async () => {
  using bundle = running();
  const { stdout } = bundle.oci('events', '--stats', 'one');
  const { type, id, data } = JSON.parse(stdout);
  expect([type, id]).toEqual(['stats', 'one']);
  expect(data.cpu.usage.total).toBeGreaterThan(0);
  expect(data.pids.current).toBe(1);
  const lines = bundle.begin('events', '--interval', '200ms', 'one');
  await new Promise((done) => setTimeout(done, 900));
  bundle.oci('kill', 'one', 'KILL');
  const seen = (await lines).stdout.trim().split('\n');
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.length).toBeLessThan(8);
  expect(bundle.oci('events', '--interval', 'often', 'one').stderr).toMatch(
    /--interval often: it takes a time/,
  );
  expect(bundle.oci('events', '--stats', 'one').stderr).toMatch(/container not running: one/);
});

test('spec: a bundle that runs; --rootless: one for an ordinary user', () => {
  using bundle = new Bundle();
  mkdirSync(bundle.path('other'));
  expect(bundle.oci('spec', '--bundle', bundle.path('other')).status).toBe(0);
  expect(bundle.oci('spec', '--bundle', bundle.path('other')).stderr).toMatch(
    /config\.json: there is one already/,
  );
  bundle.oci('spec', '--rootless', '--file', 'rootless.json');
  const spec: Spec = JSON.parse(readFileSync(bundle.path('rootless.json'), 'utf8'));
  expect(spec.linux?.namespaces?.map(({ type }) => type)).toContain('user');
  expect(spec.linux?.uidMappings).toEqual([{ containerID: 0, hostID: 0, size: 1 }]);
  expect(spec.process?.terminal).toBe(true);
  const quiet = {
    ...spec,
    process: { ...spec.process, terminal: false, args: ['cat', '/proc/self/uid_map'] },
  };
  writeFileSync(bundle.path('config.json'), JSON.stringify(quiet));
  expect(bundle.oci('run', 'one').stdout.trim().split(/\s+/)).toEqual(['0', '0', '1']);
});

test('--cgroup-manager disabled: it stays where its caller is', () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('--cgroup-manager', 'disabled', 'create', 'one');
  const { pid } = bundle.state('one');
  expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toBe(readFileSync('/proc/self/cgroup', 'utf8'));
  expect(bundle.oci('kill', '--all', 'one', 'TERM').stderr).toMatch(/has no cgroup of its own/);
  expect(bundle.oci('kill', '--all', 'one', 'KILL').status).toBe(0);
});

test.each([
  [['--log-format', 'xml', 'list'], /--log-format xml: it takes one of text, json/],
  [['--cgroup-manager', 'other', 'list'], /--cgroup-manager other: it takes one of/],
  [['--rootless', 'maybe', 'list'], /--rootless maybe: it takes one of/],
  [['list', '--nosuch'], /unknown option '--nosuch'/],
  [['state'], /missing required argument 'id'/],
  [['run', '--keep', 'one'], /--keep: what run waits for goes with its end/],
  [['update', '--l3-cache-schema', 'L3:0=f', 'one'], /--l3-cache-schema: linux\.intelRdt is not built/],
  [['update', '--kernel-memory', '1', 'one'], /--kernel-memory: the kernel has done away/],
])('what can not be honoured is refused by name, and told in the log as well: %j', (words, message) => {
  using bundle = new Bundle();
  const log = bundle.path('log');
  const { status, stderr } = bundle.oci('--log', log, ...words);
  expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
  expect(readFileSync(log, 'utf8')).toMatch(/level=?"?:?"?error/);
});

test('with a log, a warning is there and not in what may be the container’s own output', () => {
  using bundle = new Bundle().config(['true'], (spec) => {
    const { capabilities } = spec.process ?? {};
    for (const set of ['bounding', 'permitted'] as const) capabilities?.[set]?.push('CAP_NOSUCH');
  });
  const log = bundle.path('log');
  expect(bundle.oci('--log', log, '--log-format', 'json', 'run', 'one')).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({
    level: 'warning',
    msg: expect.stringContaining('CAP_NOSUCH'),
  });
});

test('sd_notify(3): start waits for the program, and tells the service manager its number', async () => {
  const script = 'sleep 0.4; systemd-notify-like "STATUS=up\nREADY=1"; exec sleep 100';
  using bundle = new Bundle();
  const socket = bundle.path('manager');
  using manager = await receiver(socket);
  bundle.config(['sh', '-c', script.replace('systemd-notify-like', 'notify')]);
  manager.installInto(bundle);
  const env = `NOTIFY_SOCKET=${socket}`;
  expect(bundle.ociWith({ env }, 'create', 'one')).toMatchObject({ status: 0, stderr: '' });
  const begun = Date.now();
  expect(bundle.ociWith({ env }, 'start', 'one')).toMatchObject({ status: 0, stderr: '' });
  expect(Date.now() - begun).toBeGreaterThan(350);
  const { pid } = bundle.state('one');
  await expect.poll(() => manager.heard()).toBe(`MAINPID=${pid}\nREADY=1`);
  expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
  bundle.oci('delete', '--force', 'one');
  expect(existsSync(join(bundle.root, 'one.notify'))).toBe(false);
});

test('sd_notify(3): run passes it on while it waits; who never says it only ends', async () => {
  using bundle = new Bundle();
  const socket = bundle.path('manager');
  using manager = await receiver(socket);
  manager.installInto(bundle);
  const env = `NOTIFY_SOCKET=${socket}`;
  bundle.config(['sh', '-c', 'notify "READY=1"; sleep 0.3; exit 6']);
  expect(bundle.ociWith({ env }, 'run', 'one')).toMatchObject({ status: 6, stderr: '' });
  await expect.poll(() => manager.heard()).toMatch(/^MAINPID=\d+\nREADY=1$/);
  bundle.config(['sh', '-c', 'test -n "$NOTIFY_SOCKET"']);
  bundle.ociWith({ env }, 'create', 'two');
  expect(bundle.ociWith({ env }, 'start', 'two')).toMatchObject({ status: 0, stderr: '' });
  expect(bundle.state('two').status).toBe('stopped');
});

/** A service manager's socket; test/support/notify.c is both ends of the protocol, as Node has no datagram sockets of this family. */
async function receiver(path: string) {
  const { execFileSync } = await import('node:child_process');
  const folder = join(path, '..');
  const program = join(folder, 'notify');
  execFileSync('cc', ['-static', '-O1', '-o', program, join(import.meta.dirname, '../../support/notify.c')]);
  const child = spawn(program, ['--listen', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  await expect.poll(() => existsSync(path)).toBe(true);
  return {
    heard: () => text,
    installInto: (bundle: Bundle) => execFileSync('cp', [program, bundle.path('rootfs/bin/notify')]),
    [Symbol.dispose]: () => void child.kill(),
  };
}
