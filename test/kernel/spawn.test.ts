/** Programs of the host as steps, and things that several launchers share; judged by what they leave and say. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Call } from '../../src/plan/step.ts';
import { child, host, Launch, perform, Scratch, sh } from '../support/launcher.ts';

let scratch: Scratch;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  scratch = new Scratch();
});
afterEach(() => scratch?.[Symbol.dispose]());

type Spawn = Omit<Call<'spawn'>, 'kind'>;
const spawn = (script: string, more: Partial<Spawn> = {}): Call<'spawn'> => ({
  kind: 'spawn',
  path: '/bin/sh',
  argv: ['sh', '-c', script],
  envp: ['A=b'],
  input: '',
  timeout: 5000,
  ...more,
});
const clone = host({ kind: 'clone', flags: [] });

test('it has its arguments, its environment, its input, and nothing of ours', () => {
  const file = scratch.path('out');
  const script = `{ env | grep -v -e ^PWD -e ^_ -e ^SHLVL; cat; ls /proc/self/fd; umask; grep SigBlk /proc/self/status; } >${file}`;
  const done = perform([
    host(
      spawn(script, { argv: ['sh', '-c', script, 'x'], input: 'in\n', envp: ['A=b', 'PATH=/usr/bin:/bin'] }),
    ),
    clone,
    sh('exit 0'),
  ]);
  expect(done.stderr).toBe('');
  // 0 to 2, and the one that ls reads the directory with.
  expect(readFileSync(file, 'utf8').split('\n')).toEqual([
    'A=b',
    'PATH=/usr/bin:/bin',
    'in',
    ...['0', '1', '2', '3'],
    '0022',
    'SigBlk:\t0000000000000000',
    '',
  ]);
});

test('the word for the pid becomes the pid, in arguments and in the input', () => {
  const file = scratch.path('out');
  const word = '@PID@';
  const script = `echo "$1 $2" >${file}; cat >>${file}; readlink /proc/$1/exe >/dev/null`;
  const argv = ['sh', '-c', script, 'x', word, `a${word}`];
  const input = `{"pid":${word}}`;
  const ended = perform([
    clone,
    host(spawn(script, { argv, input, pidWord: word, envp: ['PATH=/usr/bin:/bin'] })),
    child({ kind: 'setsid' }),
    sh(`echo; echo $$ >>${file}`),
  ]);
  expect(ended.stderr).toBe('');
  const [, pid, text, own] = /^(\d+) a@PID@\n(.*?)(\d+)\n$/s.exec(readFileSync(file, 'utf8')) ?? [];
  expect(pid).toBe(own);
  expect(text).toBe(`{"pid":${pid}}`);
});

test('a status that is not 0 is ECANCELED, and what it said is told', async () => {
  const launch = new Launch([host(spawn('echo out; echo no such thing >&2; exit 3')), clone, sh('exit 0')]);
  const failed = await launch.until('failed');
  expect(failed).toMatchObject({ step: 0, errno: 125 });
  expect(launch.told()).toMatch(/^said.*failed 0/);
  expect(await launch.exit).toBe(125);
  expect(perform([host(spawn('echo no such thing >&2; exit 3')), clone, sh('exit 0')]).stderr).toMatch(
    /exit status 3: no such thing/,
  );
});

test('a program that is not there is ENOENT, one that lasts is killed with what it started', () => {
  expect(perform([host(spawn('', { path: '/nonexistent' })), clone, sh('')]).stderr).toMatch(/ENOENT/);
  const file = scratch.path('pid');
  const slow = `sleep 50 & echo $! >${file}; wait`;
  const ended = perform([host(spawn(slow, { timeout: 200, envp: ['PATH=/usr/bin:/bin'] })), clone, sh('')]);
  expect(ended.stderr).toMatch(/ETIMEDOUT/);
  const sleeper = readFileSync(file, 'utf8').trim();
  expect(() => readFileSync(`/proc/${sleeper}/cmdline`)).toThrow();
});

test('one that says much, and leaves somebody behind who holds the pipe, is neither blocked nor waited for', () => {
  const ended = perform([
    host(spawn('yes | head -c 300000; sleep 5 & echo the end; exit 1', { envp: ['PATH=/usr/bin:/bin'] })),
    clone,
    sh(''),
  ]);
  expect(ended.stderr).toMatch(/the end/);
});

test('as an undo it runs when the container has ended, and also when the launcher was killed', async () => {
  const file = scratch.path('undone');
  const undo = spawn(`echo undone >>${file}`);
  const step = host({ kind: 'mkdir', path: scratch.path('d'), mode: 0o700, parents: true }, { undo });
  perform([step, clone, sh('exit 0')]);
  expect(readFileSync(file, 'utf8')).toBe('undone\n');

  const ledger = scratch.path('ledger');
  const launch = new Launch([step, clone, sh('exec sleep 100')], ['--ledger', ledger]);
  await launch.until('running');
  launch.process.kill('SIGKILL');
  await launch.exit;
  const { spawnSync } = await import('node:child_process');
  const { launcher } = await import('../support/launcher.ts');
  spawnSync(launcher, ['--undo', ledger]);
  expect(readFileSync(file, 'utf8')).toBe('undone\nundone\n');
});

test('what is shared is taken back by the last one, however they end', async () => {
  const [lock, log] = [scratch.path('lock'), scratch.path('log')];
  writeFileSync(lock, '');
  const plan = [
    host({ kind: 'share', path: lock }, { undo: spawn(`echo back >>${log}`, { alone: lock }) }),
    clone,
    sh('exec sleep 100'),
  ];
  const back = () =>
    perform([host(spawn(`cat ${log} >&2; exit 1`, { envp: ['PATH=/usr/bin:/bin'] }))]).stderr.includes(
      'back',
    );
  const launches = [1, 2, 3].map((n) => new Launch(plan, ['--ledger', scratch.path(`ledger${n}`)]));
  const [one, two, three] = launches as [Launch, Launch, Launch];
  for (const launch of launches) await launch.until('running');
  one.send('abort');
  await one.exit;
  expect(back()).toBe(false);
  two.process.kill('SIGKILL');
  await two.exit;
  three.send('abort');
  await three.exit;
  expect(back()).toBe(true);
});
