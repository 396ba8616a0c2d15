/**
 * Submissions that attack whoever grades them, as root. Each test is one way from a learner's stage to the host that
 * was open once. Payloads are harmless: a canary that only root can read, a file of a random name, a process of ours.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lessons } from '../../../lessons/index.ts';
import { Attempts } from '../../../src/course/attempt.ts';
import { performIn } from '../../../src/course/box.ts';
import { findLesson } from '../../../src/course/catalog.ts';
import { type Grade, grade } from '../../../src/course/grade.ts';
import { ownFolder, removeFolder } from '../../../src/course/rootfs.ts';
import { evaluate } from '../../../src/course/sandbox.ts';
import { probe } from '../../../src/facts/probe.ts';
import type { Container } from '../../../src/runtime/run.ts';

const random = () => `tslab-${randomBytes(8).toString('hex')}`;
let folder: string;
let canary: string;
let secret: string;

beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  // mkdtemp(3) gives mode 0700: nobody but root can look in.
  folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  canary = join(folder, 'canary');
  secret = random();
  writeFileSync(canary, `${secret}\n`, { mode: 0o600 });
});
afterEach(() => {
  if (folder) rmSync(folder, { recursive: true });
});

const lessonOf = (id: string) => {
  const lesson = findLesson(id);
  if (!lesson) throw new Error(id);
  return lesson;
};

/** The lesson's own stage, with further steps; `$CANARY`, `$FOLDER` and `ROOT` (the root folder's path) can be used. */
function hostile(id: string, steps: string): { file: string; source: string } {
  const text = readFileSync(join(lessonOf(id).folder, 'stage.ts'), 'utf8');
  const more = steps.replaceAll('$CANARY', canary).replaceAll('$FOLDER', folder);
  const source = `${text.replace(/^export default function \w+\(/m, 'function lesson(')}
export default function hostile(spec: any, facts: any): any[] {
  const ROOT = spec.root?.path;
  return [...lesson(spec, facts), ${more}];
}`;
  return { file: `${folder}/${id}.ts`, source };
}

/** Starts a container of that stage; what it said, or why it did not start. */
async function attempt(id: string, steps: string, argv: string[], input = ''): Promise<string> {
  const attempts = new Attempts(lessonOf(id), hostile(id, steps));
  try {
    const container = await attempts.start(argv);
    container.stdin.on('error', () => {});
    container.stdin.end(input);
    const patience = new Promise((done) => setTimeout(done, 5000).unref());
    await Promise.race([container.exit, patience]);
    await new Promise((done) => setTimeout(done, 50));
    return container.stdout() + container.stderr();
  } catch (error) {
    // A box that could not be built would make every attack fail.
    if (!['StartError', 'PlanError'].includes((error as Error).name)) throw error;
    return (error as Error).message;
  } finally {
    await attempts.close();
  }
}

const inMounts = "at: 'child', phase: 'mounts'";
/** A program of the learner's own, in the place where the check's `sh` is looked for first. */
const plant = (script: string) => `
  { at: 'child', phase: 'exec', kind: 'mkdir', dir: 'root', path: '/usr/local/sbin', mode: 0o755, parents: true },
  { at: 'child', phase: 'exec', kind: 'open', dir: 'root', path: '/usr/local/sbin/sh', flags: ['O_CREAT'], mode: 0o755 },
  { at: 'child', phase: 'exec', kind: 'write', dir: 'root', path: '/usr/local/sbin/sh', data: ${JSON.stringify(
    `#!/bin/busybox sh\n${script}\n`,
  )} },`;

describe('steps can’t leave the root folder', () => {
  const link = `{ ${inMounts}, kind: 'symlink', dir: 'root', path: '/way-out', target: '/' },`;

  test('by a symlink that an open follows', async () => {
    const file = random();
    await attempt(
      'mount',
      `${link}
      { ${inMounts}, kind: 'open', path: ROOT + '/way-out', flags: ['O_PATH', 'O_DIRECTORY'], as: 'host' },
      { ${inMounts}, kind: 'write', dir: 'host', path: '$FOLDER/${file}', data: 'x', flags: ['O_CREAT'] },`,
      ['true'],
    );
    expect(existsSync(join(folder, file))).toBe(false);
  });

  test('by a symlink that a bind mount follows', async () => {
    const said = await attempt(
      'mount',
      `${link}
      { ${inMounts}, kind: 'mount', source: ROOT + '/way-out', dir: 'root', target: '/mnt', flags: ['MS_BIND', 'MS_REC'] },`,
      ['cat', '/mnt$CANARY'.replace('$CANARY', canary)],
    );
    expect(said).not.toContain(secret);
  });

  test('by a proc file system, to the kernel’s settings', async () => {
    // Whatever it is set to stays: the same value is written.
    const name = '/proc/sys/kernel/printk_ratelimit';
    const value = readFileSync(name, 'utf8').trim();
    const said = await attempt(
      'mount',
      `{ ${inMounts}, kind: 'write', dir: 'root', path: '${name}', data: '${value}' },`,
      ['echo', 'written'],
    );
    expect(said).not.toMatch(/^written/m);
  });

  test('by a device node of the host’s disk or memory', async () => {
    const said = await attempt(
      'chroot',
      `{ at: 'child', phase: 'exec', kind: 'mknod', dir: 'root', path: '/kmsg', mode: 0o20666, major: 1, minor: 11 },
       { at: 'child', phase: 'exec', kind: 'open', dir: 'root', path: '/kmsg', flags: ['O_RDONLY', 'O_NONBLOCK'] },`,
      ['echo', 'opened'],
    );
    expect(said).not.toMatch(/^opened/m);
  });
});

describe('a program of the learner’s own, with all that root may do there,', () => {
  /** Out of the chroot, as in lesson 1; the script runs on what is the host to it. */
  const walkOut = (script: string) =>
    `echo "uid $(busybox id -u)"; mkdir -p /cage/bin; cp -a /bin/busybox /cage/bin
    exec /bin/busybox nsenter -r/cage -w/ /bin/busybox sh -c 'cd -P ${'../'.repeat(40)}; exec chroot . /bin/sh -c "$0"' '${script}'`;

  test('sees no file of the host’s, wherever it gets', async () => {
    const said = await attempt('chroot', plant(walkOut(`ls /; cat ${canary} /etc/shadow 2>&1`)), ['sh']);
    expect(said).toMatch(/^uid 0\n[\s\S]*^launch$/m); // it did get out: the box's launcher lies there
    expect(said).not.toContain(secret);
    expect(said).not.toMatch(/^(boot|home\/.+)$/m);
    expect(said).toMatch(/shadow'?: No such file/);
  });

  test('ends no process of the host’s', async () => {
    const victim: ChildProcess = spawn('sleep', ['20']);
    const ended = new Promise((done) => victim.once('exit', (_, signal) => done(signal)));
    const said = await attempt('chroot', plant(`kill -9 ${victim.pid}; kill -9 -1; echo alone`), ['sh']);
    victim.kill('SIGTERM');
    expect(said).toContain('No such process');
    expect(await ended).toBe('SIGTERM');
  });

  test('can set nothing in /proc/sys or /sys', async () => {
    const script = `mkdir /p /s; mount -t proc p /p; mount -t sysfs s /s
      ls /p/sys/kernel/core_pattern; cat /p/sys/kernel/printk_ratelimit >/p/sys/kernel/printk_ratelimit && echo written
      for file in /p/sysrq-trigger /s/power/state /s/kernel/uevent_helper; do (: >>$file) 2>/dev/null && echo opened $file; done`;
    const said = await attempt('chroot', plant(script), ['sh']);
    expect(said).toContain('/p/sys/kernel/core_pattern');
    expect(said).not.toMatch(/written|opened/);
  });

  test('may not make every system call', async () => {
    expect(await attempt('process', '', ['grep', 'Seccomp:', '/proc/self/status'])).toMatch(/2$/m);
  });

  test('has a limit of processes', async () => {
    const bomb = ': >/dev/null; i=0; while [ $i -lt 2000 ]; do sleep 3 & i=$((i+1)); done; echo "all 2000"';
    expect(await attempt('chroot', plant(bomb), ['sh'])).not.toContain('all 2000');
  });

  test('leaves no process behind, and can’t end its launcher', async () => {
    const seconds = 3000 + (process.pid % 1000);
    const script = `for i in 1 2 3; do (setsid sleep ${seconds} &) ; done; kill -9 $PPID; echo begun`;
    expect(await attempt('process', '', ['sh', '-c', script])).toBe('begun\n');
    const left = readdirSync('/proc').filter((pid) => commandOf(pid).includes(`sleep\0${seconds}`));
    for (const pid of left) process.kill(Number(pid), 'SIGKILL');
    expect(left).toEqual([]);
  });

  test('leaves no folder that can’t be removed', async () => {
    // 60 levels of 100 letters are more than a path may have (PATH_MAX, 4096).
    const deep = `N=${'n'.repeat(100)}; mkdir $N; i=0; while [ $i -lt 60 ]; do mkdir m; mv $N m; mv m $N; i=$((i+1)); done; echo deep`;
    expect(await attempt('chroot', plant(`cd /tmp; ${deep}`), ['sh'])).toBe('deep\n');
    expect(attemptFolders()).toEqual([]);
  });
});

test('a plan that never comes to its end is ended with its attempts', async () => {
  const fifo = "dir: 'root', path: '/fifo'";
  const never = `{ at: 'child', phase: 'exec', kind: 'mknod', ${fifo}, mode: 0o10644, major: 0, minor: 0 },
    { at: 'child', phase: 'exec', kind: 'open', ${fifo}, flags: ['O_RDONLY'] },`;
  const attempts = new Attempts(lessonOf('chroot'), hostile('chroot', never));
  const started = attempts.start(['true']).then(
    () => 'ran',
    () => 'ended',
  );
  await new Promise((done) => setTimeout(done, 1000));
  await attempts.close();
  expect(await started).toBe('ended');
  expect(attemptFolders()).toEqual([]);
});

test('whoever speaks in the place of the box’s launcher names no process outside, and ends nobody', async () => {
  const [ours, theirs] = duplexPair();
  const { promise: exit, resolve } = Promise.withResolvers<{ code: number }>();
  const box = { pid: process.pid, kept: ours, exit } as unknown as Container;
  const inside = performIn(box, { version: 1, id: 'x', steps: [{ kind: 'init' } as never] });
  const [failed, born, running] = [3, 4, 5];
  for (const [type = 0, step = 0, errno = 0, value = 0] of [
    [failed, 9999, 1],
    [failed, 0, 0],
    [failed, 0, 0xffff_ffff],
    [77, 1, 2, 3],
    [born, 0, 0, process.ppid],
    [running],
  ]) {
    const event = Buffer.alloc(24);
    [type, step, errno, value].forEach((word, i) => void event.writeUInt32LE(word, 4 * i));
    theirs.write(event);
  }
  expect((await inside).pid).toBe(0);
  resolve({ code: 0 });
});

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

const attemptFolders = (): string[] => {
  const parent = '/var/lib/tslab/course';
  return existsSync(parent) ? readdirSync(parent).filter((name) => name.startsWith(`${process.pid}-`)) : [];
};

describe('a stage that gets past Node’s permission model', () => {
  /** SQLite opens files by itself, and asks nobody. */
  const sql = (statement: string) =>
    evaluate(
      'x.ts',
      `export default () => {
        const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
        const database = new DatabaseSync(':memory:');
        database.exec('create table t (a)');
        return [database.prepare(${JSON.stringify(statement)}).all()];
      }`,
      {},
      {},
    );

  test('finds no folder to write to', async () => {
    const file = join(tmpdir(), random());
    await expect(sql(`vacuum into '${file}'`)).rejects.toThrow(/unable to open/);
    expect(existsSync(file)).toBe(false);
  });

  test('finds no file to read', async () => {
    // As it says of a file that is there: "file is not a database".
    await expect(sql("attach 'file:/etc/passwd?mode=ro' as x")).rejects.toThrow(/unable to open/);
  });

  test('and may answer what it likes', async () => {
    const forge = (answer: string) =>
      `const { stringify } = JSON; Object.prototype.toJSON = function () { delete Object.prototype.toJSON; return ${answer} }; export default () => []`;
    for (const answer of [
      'null',
      '1',
      '{ problem: {} }',
      '{ problem: { code: "?", message: {}, line: "\\x1b[2J" } }',
    ])
      await evaluate('x.ts', forge(answer), {}, {}).catch((error) => expect(error.name).toBe('StageProblem'));
  });
});

async function graded(id: string, steps: string, check: string): Promise<Grade> {
  const { checks } = (await lessons.find((lesson) => lesson.id === id)?.checks()) ?? { checks: [] };
  return grade(
    lessonOf(id),
    checks.filter((one) => one.id === check),
    hostile(id, steps),
  );
}

describe('the checks, which are root,', () => {
  const planted = (script: string) =>
    plant(`echo ready; while read -r line; do ${script}; eval "$line"; done`);

  test('follow no symlink to a file of the host', async () => {
    const grade = await graded('mount', planted(`ln -sf ${canary} /volume/answer`), 'volume');
    expect(JSON.stringify(grade)).not.toContain(secret);
  });

  test('do not wait for a FIFO', async () => {
    const grade = await graded(
      'mount',
      planted('[ -e /volume/answer ] || { mkfifo /volume/answer; exec 3<>/volume/answer; }'),
      'volume',
    );
    expect(grade.checks[0]?.outcome.outcome).toBe('fail');
  });

  test('print nothing that a terminal obeys', async () => {
    const grade = await graded(
      'chroot',
      plant("printf '\\033]0;owned\\007\\033[2J\\233 ready'; exit 3"),
      'root',
    );
    const thrown = await gradeText('throw new Error("\\x1b[2J\\x9b31m\\u202e")');
    for (const text of [grade, thrown].map((one) => everyText(one).join('\n')))
      expect(text.replace(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

function gradeText(source: string): Promise<Grade> {
  return lessons[1]
    ?.checks()
    .then(({ checks }) => grade(lessonOf('chroot'), checks, { file: 'x.ts', source })) as Promise<Grade>;
}

/** All strings in it. */
function everyText(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(everyText) : [];
}

test('all that an attempt uses is counted and limited', async (ctx) => {
  const { controllers, unified, unifiedControllers = [] } = probe().cgroup;
  const file = controllers.memory
    ? [controllers.memory, 'memory.limit_in_bytes']
    : unifiedControllers.includes('memory')
      ? [unified, 'memory.max']
      : undefined;
  ctx.skip(file === undefined, 'this host has no memory controller');
  const [top = '', limit = ''] = file ?? [];
  const attempts = new Attempts(lessonOf('chroot'), undefined);
  try {
    const { pid } = await attempts.start(['sh', '-c', 'read -r line']);
    const line = controllers.memory ? /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m : /^0::(.*)$/m;
    const [, path = ''] = line.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
    expect(path).toMatch(/tslab-/);
    expect(Number(readFileSync(join(top, path, limit), 'utf8'))).toBe(1536 << 20);
  } finally {
    await attempts.close();
  }
});

test('what is mounted in an attempt’s folder is not removed with it', () => {
  const own = ownFolder();
  const point = join(own, 'mounted');
  mkdirSync(point);
  execFileSync('mount', ['--bind', folder, point]);
  try {
    expect(() => removeFolder(own)).toThrow();
    expect(readFileSync(canary, 'utf8')).toContain(secret);
  } finally {
    execFileSync('umount', [point]);
    removeFolder(own);
  }
});

test('the attempts’ folders are nobody’s to look into', async () => {
  const attempts = new Attempts(lessonOf('chroot'), undefined);
  try {
    const container = await attempts.start(['sh', '-c', 'read -r line']);
    const run = spawn('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'ls',
      container.rootfs,
    ]);
    expect(await new Promise((done) => run.once('exit', done))).not.toBe(0);
  } finally {
    await attempts.close();
  }
});
