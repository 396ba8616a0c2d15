/** The launcher, performing plans for real. Each claim is checked from outside: /proc, the file system, exit statuses. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Step } from '../../src/plan/step.ts';
import { bytes, child, host, Launch, launcher, perform, Scratch, sh } from '../support/launcher.ts';

let scratch: Scratch;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  scratch = new Scratch();
});
afterEach(() => scratch?.[Symbol.dispose]());

const clone = (
  ...flags: ('CLONE_NEWNS' | 'CLONE_NEWPID' | 'CLONE_NEWUTS' | 'CLONE_NEWNET' | 'CLONE_NEWIPC')[]
) => host({ kind: 'clone', flags });
const everywhere = clone('CLONE_NEWNS', 'CLONE_NEWPID', 'CLONE_NEWUTS', 'CLONE_NEWNET', 'CLONE_NEWIPC');
const privately = child({ kind: 'mount', target: '/', flags: ['MS_REC', 'MS_PRIVATE'] });
/** A zombie is dead: who inherits it reaps it in its own time. */
function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
  return state !== 'Z' && state !== 'X';
}
const mounted = (path: string) => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `);
const undo = (ledger: string) => spawnSync(launcher, ['--undo', ledger], { encoding: 'utf8' });
const soon = (ms: number) => new Promise((done) => setTimeout(done, ms));
/** Where this host lets us make cgroups: v2 at its usual places, else a v1 controller. */
const cgroupRoot = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup', '/sys/fs/cgroup/pids'].find((dir) =>
  existsSync(`${dir}/cgroup.procs`),
);

/** A plan with an undo of every sort, and both hands taking turns. */
function thorough(script: string): Step[] {
  const made = scratch.path('made');
  const group = `${cgroupRoot}/tslab-test-${process.pid}`;
  return [
    host(
      { kind: 'mkdir', path: scratch.dir, mode: 0o755 },
      { tolerate: ['EEXIST'], undo: { kind: 'rmtree', path: scratch.dir } },
    ),
    host(
      { kind: 'mkdir', path: `${made}/a/b`, mode: 0o700, parents: true },
      { undo: { kind: 'rmtree', path: made } },
    ),
    host(
      { kind: 'mount', source: 'tmpfs', target: `${made}/a`, fstype: 'tmpfs' },
      { undo: { kind: 'umount', target: `${made}/a` } },
    ),
    ...(cgroupRoot
      ? [host({ kind: 'mkdir', path: group, mode: 0o755 }, { undo: { kind: 'rmdir', path: group } })]
      : []),
    everywhere,
    ...(cgroupRoot ? [child({ kind: 'write', path: `${group}/cgroup.procs`, data: '0' })] : []),
    privately,
    child({ kind: 'mount', source: 'proc', target: '/proc', fstype: 'proc' }),
    host({ kind: 'write', path: `${made}/a/of-the-host`, data: 'x', flags: ['O_CREAT'] }),
    child({ kind: 'sethostname', name: 'lab' }),
    child({ kind: 'init' }),
    sh(script),
  ];
}

function expectNothingLeft(): void {
  expect(readdirSync(scratch.dir).filter((name) => name !== 'plan')).toEqual([]);
  expect(mounted(scratch.path('made/a'))).toBe(false);
  expect(existsSync(`${cgroupRoot}/tslab-test-${process.pid}`)).toBe(false);
}

test('a container: its own names, its own PID 1, an event for every step in the order of the list', async () => {
  const plan = thorough('hostname; echo $$; cat /proc/1/comm; exit 7');
  const run = new Launch(plan, [], ['ignore', 'pipe', 'inherit']);
  expect(await run.output()).toBe('lab\n2\ntslab-init\n');
  expect(await run.exit).toBe(7);
  const steps = run.events
    .filter(({ type }) => type === 'done' || type === 'running')
    .map(({ step }) => step);
  expect(steps).toEqual(plan.map((_, i) => i));
  expect(
    run.events
      .filter(({ type }) => type === 'exited' || type === 'clean')
      .map(({ type, value }) => [type, value]),
  ).toEqual([
    ['exited', 7 << 8],
    ['clean', 0],
  ]);
  expect(run.events.find(({ type, step }) => type === 'done' && step === 0)?.errno).toBe(17);
  expectNothingLeft();
});

test.each([
  ['a program that is not there', ['/nowhere'], 127, /exec\("\/nowhere"\).*ENOENT/],
  ['a name that no directory of PATH has', ['nowhere'], 127, /ENOENT/],
  ['a file that is no program', ['/etc/passwd'], 126, /EACCES/],
  ['a program that a signal ends', ['/bin/sh', '-c', 'kill -9 $$'], 137, /^$/],
] as [string, string[], number, RegExp][])('exit status of %s', (_, argv, status, message) => {
  const done = perform([clone(), child({ kind: 'exec', argv, envp: ['PATH=/usr/bin:/bin'] })]);
  expect(done.status).toBe(status);
  expect(done.stderr).toMatch(message);
});

test('wherever a step fails, all before it is undone and the message says which', () => {
  const plan = thorough('true');
  const birth = plan.findIndex(({ kind }) => kind === 'clone');
  for (let i = 0; i <= plan.length - 1; i++) {
    const call = { kind: 'chdir', path: '/nowhere' } as const;
    const wrong = i > birth ? child(call) : host({ kind: 'rmdir', path: '/nowhere' });
    const done = perform(plan.toSpliced(i, 0, wrong), ['--ledger', scratch.path('ledger')]);
    expect(done.status).toBe(125);
    expect(done.stderr).toMatch(
      new RegExp(
        `^launch: step ${i + 1} of ${plan.length + 1}, .*nowhere.*: no such file or directory \\(ENOENT\\)`,
      ),
    );
    expectNothingLeft();
  }
});

test('killed before any step, it leaves a ledger that undoes everything', async () => {
  const plan = thorough('sleep 100');
  const ledger = scratch.path('ledger');
  for (let i = 0; i <= plan.length; i++) {
    const run = new Launch(plan, ['--ledger', ledger, '--step']);
    for (let step = 1; step <= i; step++) {
      await run.until('at', step);
      run.send('go');
    }
    await (i < plan.length ? run.until('at', i + 1) : run.until('running'));
    run.process.kill('SIGKILL');
    await run.exit;
    expect(undo(ledger)).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(ledger)).toBe(false);
    expectNothingLeft();
    const born = run.events.find(({ type }) => type === 'born');
    if (born) expect(alive(born.value)).toBe(false);
  }
});

test('processes that left their parents are ended with the cgroup, after a kill too', async (ctx) => {
  ctx.skip(!cgroupRoot, 'needs a cgroup tree');
  const group = `${cgroupRoot}/tslab-test-${process.pid}`;
  const ledger = scratch.path('ledger');
  const run = new Launch(
    [
      host({ kind: 'mkdir', path: group, mode: 0o755 }, { undo: { kind: 'rmdir', path: group } }),
      clone(),
      child({ kind: 'write', path: `${group}/cgroup.procs`, data: '0' }),
      sh('(setsid sleep 1000 &); echo ready; sleep 1000'),
    ],
    ['--ledger', ledger],
    ['ignore', 'pipe', 'inherit'],
  );
  await new Promise((done) => run.process.stdout?.once('data', done));
  const inside = readFileSync(`${group}/cgroup.procs`, 'utf8').trim().split('\n').map(Number);
  expect(inside.length).toBeGreaterThanOrEqual(2);
  run.process.kill('SIGKILL');
  await once(run.process, 'exit'); // not `close`: they hold its output
  expect(undo(ledger)).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(group)).toBe(false);
  for (let tries = 0; inside.some(alive) && tries < 50; tries++) await soon(20);
  expect(inside.filter(alive)).toEqual([]);
});

test('a daemon that the program left behind is ended with it', () => {
  const file = scratch.path('pid');
  expect(perform([clone(), sh(`(setsid sleep 1000 & echo $! > ${file}); exit 4`)]).status).toBe(4);
  expect(alive(Number(readFileSync(file, 'utf8')))).toBe(false);
});

test('a ledger whose launcher lives is not played; one that is not empty is not used', async () => {
  const ledger = scratch.path('ledger');
  const run = new Launch([clone(), sh('sleep 100')], ['--ledger', ledger]);
  await run.until('running');
  expect(undo(ledger)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('its launcher is alive'),
  });
  expect(perform([clone(), sh('')], ['--ledger', ledger]).status).toBe(125);
  run.send('abort');
  expect(await run.exit).toBe(137);
  expect(existsSync(ledger)).toBe(false);
});

test.each(['abort', 'end of the socket', 'SIGTERM'])(
  '%s before the program runs: nothing is left',
  async (how) => {
    const run = new Launch(thorough('true'), ['--step']);
    for (let step = 1; step <= 7; step++) {
      await run.until('at', step);
      run.send('go');
    }
    await run.until('at', 8);
    if (how === 'abort') run.send('abort');
    else if (how === 'SIGTERM') run.process.kill('SIGTERM');
    else run.control.end();
    expect(await run.exit).toBe(how === 'SIGTERM' ? 143 : 125);
    expectNothingLeft();
  },
);

test('signals reach the program, sent to the launcher or by command', async () => {
  const script = 'trap "exit 3" USR1; trap "exit 4" TERM; echo ready; while :; do sleep 0.05; done';
  for (const [how, status] of [
    ['command', 3],
    ['kill', 4],
  ] as const) {
    const run = new Launch([clone(), sh(script)], [], ['ignore', 'pipe', 'inherit']);
    await new Promise((done) => run.process.stdout?.once('data', done));
    if (how === 'command') run.send('signal', 10);
    else run.process.kill('SIGTERM');
    expect(await run.exit).toBe(status);
  }
});

test('detached, the program outlives its asker, and its status is in a file', async () => {
  const file = scratch.path('status');
  const run = new Launch([clone(), sh('sleep 0.3; exit 9')], ['--detach', '--status', file]);
  await run.until('running');
  run.control.destroy();
  expect(await run.exit).toBe(9);
  expect(readFileSync(file, 'utf8')).toBe(String(9 << 8));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('not detached, it ends with its asker', async () => {
  const run = new Launch([clone(), sh('sleep 100')]);
  const { value } = await run.until('born');
  await run.until('running');
  run.control.destroy();
  expect(await run.exit).toBe(137);
  expect(alive(value)).toBe(false);
});

test('a path with `dir` stays inside, whatever symlinks it meets', () => {
  const inside = scratch.path('inside');
  mkdirSync(inside);
  for (const [name, target] of [
    ['abs', scratch.dir],
    ['up', '../../..'],
    ['loop', 'loop'],
  ] as const)
    symlinkSync(target, `${inside}/${name}`);
  const open = host({ kind: 'open', path: inside, flags: ['O_PATH', 'O_DIRECTORY'], as: 'd' });
  const write = (path: string) => host({ kind: 'write', dir: 'd', path, data: 'x', flags: ['O_CREAT'] });
  const make = (path: string) => host({ kind: 'mkdir', dir: 'd', path, mode: 0o755, parents: true });
  expect(perform([open, write('abs/x')]).stderr).toContain('ENOENT');
  expect(perform([open, make('loop/x')]).stderr).toContain('ELOOP');
  expect(perform([open, write('up/x'), make('../up/y'), make('/z/../w')]).status).toBe(0);
  expect(readdirSync(inside).sort()).toEqual(['abs', 'loop', 'up', 'w', 'x', 'y', 'z']);
  for (const path of ['', '.', '..', 'z/..'])
    expect(perform([open, host({ kind: 'rmdir', dir: 'd', path })]).stderr).toContain('EINVAL');
  expect(perform([open, make('x')]).stderr).toContain('ENOTDIR');
});

test('rmtree ends with a tree of any depth', () => {
  // Made on foot, since a path has an end: PATH_MAX is 4096.
  const tree = scratch.path('deep');
  const walk = `process.chdir('${tree}'); for (let i = 0; i < 2500; i++) { fs.mkdirSync('d'); process.chdir('d'); }`;
  mkdirSync(`${tree}/.lifted0`, { recursive: true });
  execFileSync(process.execPath, ['-e', walk]);
  expect(perform([host({ kind: 'rmtree', path: tree })]).status).toBe(0);
  expect(existsSync(tree)).toBe(false);
});

test('rmtree goes through no symlink and into no mount', () => {
  const [tree, other] = [scratch.path('tree'), scratch.path('other')];
  mkdirSync(`${tree}/mount`, { recursive: true });
  mkdirSync(other);
  writeFileSync(`${other}/kept`, '');
  symlinkSync(other, `${tree}/link`);
  const mount = host(
    { kind: 'mount', source: other, target: `${tree}/mount`, flags: ['MS_BIND'] },
    { undo: { kind: 'umount', target: `${tree}/mount` } },
  );
  expect(perform([mount, host({ kind: 'rmtree', path: tree })]).stderr).toContain('EXDEV');
  expect(perform([host({ kind: 'rmtree', path: tree })]).status).toBe(0);
  expect([existsSync(tree), readdirSync(other)]).toEqual([false, ['kept']]);
});

test('another process joins by pidfd, unless its start time says that the pid was given away', async () => {
  const run = new Launch([everywhere, child({ kind: 'sethostname', name: 'joined' }), sh('exec sleep 100')]);
  const { value: pid } = await run.until('born');
  await run.until('running');
  const startTime = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]);
  const join = (started: number) =>
    perform([
      host({ kind: 'pidfd', pid, startTime: started, as: 'target' }),
      host({ kind: 'setns', fd: 'target', flags: ['CLONE_NEWPID'] }),
      clone(),
      child({ kind: 'setns', fd: 'target', flags: ['CLONE_NEWUTS', 'CLONE_NEWIPC'] }),
      sh('hostname; echo $$'),
    ]);
  expect(join(startTime).stdout).toBe('joined\n2\n');
  expect(join(startTime + 1).stderr).toContain('ESRCH');
  run.send('abort');
  await run.exit;
});

test('no descriptor and no variable of the asker reaches the program, nor what it ignores', () => {
  const plan = scratch.path('plan');
  writeFileSync(plan, bytes([clone(), sh('ls /proc/self/fd; env; grep SigIgn /proc/self/status')]));
  const script = `trap '' USR1 HUP; exec 7</dev/null 9</dev/null; ${launcher} --plan ${plan}`;
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { SECRET: 'x' } });
  expect(stdout.split('\n').slice(0, 4)).toEqual(['0', '1', '2', '3']); // 3 is ls reading the directory
  expect(stdout).not.toContain('SECRET');
  expect(stdout).toMatch(/SigIgn:\s*0+\n/);
});

test('it runs from memory that nobody can change, and little of it', async (ctx) => {
  const run = new Launch([clone(), sh('sleep 100')]);
  const { value } = await run.until('born');
  await run.until('running');
  const dir = `/proc/${run.process.pid}`;
  expect(readlinkSync(`${dir}/exe`)).toBe('/memfd:tslab-launch (deleted)');
  expect(readFileSync(`${dir}/environ`, 'utf8').replaceAll('\0', '')).toBe('');
  const image = openSync(`${dir}/exe`, 'r');
  const smaps = readFileSync(`${dir}/smaps_rollup`, 'utf8');
  run.send('abort');
  await run.exit;
  expect(alive(value)).toBe(false);
  // While it ran, execve(2) alone said ETXTBSY; now only the seals are left.
  const writable = openSync(`/proc/self/fd/${image}`, 'r+');
  expect(() => writeSync(writable, 'x')).toThrow('EPERM');
  closeSync(writable);
  closeSync(image);
  ctx.skip(launcher.endsWith('-asan'), 'the sanitizers need memory of their own');
  const kib = [...smaps.matchAll(/^(?:Private|Shared)_(?:Clean|Dirty):\s+(\d+) kB/gm)].map((m) =>
    Number(m[1]),
  );
  expect(kib.reduce((sum, one) => sum + one, 0)).toBeLessThan(300);
});

/** A plan whose program has a terminal, on a devpts of its own. */
function withTerminal(script: string, name = 'pts'): Step[] {
  const pts = scratch.path(name);
  mkdirSync(pts);
  return [
    everywhere,
    privately,
    child({
      kind: 'mount',
      source: 'devpts',
      target: pts,
      fstype: 'devpts',
      data: 'newinstance,ptmxmode=0666',
    }),
    child({ kind: 'open', path: `${pts}/ptmx`, flags: ['O_RDWR', 'O_NOCTTY'], as: 'master' }),
    child({ kind: 'openpts', master: 'master', as: 'terminal' }),
    child({ kind: 'handover', fd: 'master' }),
    child({ kind: 'setsid' }),
    child({ kind: 'ctty', fd: 'terminal' }),
    sh(script),
  ];
}

test('a terminal: its size follows commands, its input ends when ours does', async () => {
  const script =
    'trap "stty size; exit" WINCH; [ -t 0 ] && [ -t 1 ] && echo ready; while read l; do :; done; sleep 9';
  const sized = new Launch(withTerminal(script), [], ['pipe', 'pipe', 'inherit']);
  sized.process.stdout?.once('data', () => sized.send('winsize', (50 << 16) | 60));
  expect(await sized.output()).toBe('ready\r\n50 60\r\n');
  const fed = new Launch(withTerminal('stty -echo; cat; echo END', 'pts2'), [], ['pipe', 'pipe', 'inherit']);
  fed.process.stdin?.end('one\ntwo');
  expect(await fed.output()).toContain('END\r\n');
  expect(await fed.exit).toBe(0);
});

test('all of a terminal output arrives, however late it is read', async () => {
  const run = new Launch(withTerminal('seq 100000; echo END'), [], ['ignore', 'pipe', 'inherit']);
  await run.until('running');
  await soon(300);
  const output = await run.output();
  expect(output.length).toBe(588_895 + 100_000 + 5);
  expect(output.slice(-13)).toBe('100000\r\nEND\r\n');
  expect(await run.exit).toBe(0);
});
