/**
 * Submissions that attack whoever grades them, as root: by the plans that they return. Each test is one way from a learner's stage to the host
 * that was open once. Payloads are harmless: a canary that only root can read, a file of a random name, a process of ours.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Attempts } from '../../../src/course/attempt.ts';
import { performIn } from '../../../src/course/box.ts';
import type { Container } from '../../../src/runtime/run.ts';
import { Grounds, inMounts, lessonOf, plant, random } from '../../support/hostile.ts';

let ground: Grounds;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ground = new Grounds();
});
afterEach(() => ground?.[Symbol.dispose]());

describe('steps can’t leave the root folder', () => {
  const link = `{ ${inMounts}, kind: 'symlink', dir: 'root', path: '/way-out', target: '/' },`;

  test('by a symlink that an open follows', async () => {
    const file = random();
    await ground.attempt(
      'mount',
      `${link}
      { ${inMounts}, kind: 'open', path: ROOT + '/way-out', flags: ['O_PATH', 'O_DIRECTORY'], as: 'host' },
      { ${inMounts}, kind: 'write', dir: 'host', path: '$FOLDER/${file}', data: 'x', flags: ['O_CREAT'] },`,
      ['true'],
    );
    expect(existsSync(join(ground.folder, file))).toBe(false);
  });

  test('by a symlink that a bind mount follows', async () => {
    const said = await ground.attempt(
      'mount',
      `${link}
      { ${inMounts}, kind: 'mount', source: ROOT + '/way-out', dir: 'root', target: '/mnt', flags: ['MS_BIND', 'MS_REC'] },`,
      ['cat', '/mnt$CANARY'.replace('$CANARY', ground.canary)],
    );
    expect(said).not.toContain(ground.secret);
  });

  test('by layers, named or handed over', async () => {
    const layers = "at: 'child', phase: 'layers'";
    const tries = [
      `{ ${layers}, kind: 'mount', source: 'overlay', target: ROOT, fstype: 'overlay', data: 'lowerdir=$FOLDER:' + ROOT },`,
      `{ ${layers}, kind: 'fsopen', fstype: 'overlay', as: 'o' },
       { ${layers}, kind: 'fsconfig', fd: 'o', command: 'FSCONFIG_SET_STRING', key: 'lowerdir', value: '$FOLDER:' + ROOT },`,
      `{ ${layers}, kind: 'open', path: '$FOLDER', flags: ['O_PATH'], as: 'layer' },`,
    ];
    for (const steps of tries) {
      const said = await ground.attempt('overlay', steps, ['cat', ground.canary]);
      expect(said).not.toContain(ground.secret);
      expect(said).toMatch(/not of this container|hand its descriptor over/);
    }
  });

  test('by a layer that is a symlink', async () => {
    const said = await ground.attempt(
      'overlay',
      `${link}
      { ${inMounts}, kind: 'chdir', path: ROOT },
      { ${inMounts}, kind: 'mount', source: 'overlay', target: ROOT + '/mnt', fstype: 'overlay', data: 'lowerdir=way-out:dev' },
      { ${inMounts}, kind: 'chdir', path: '/' },`,
      ['sh', '-c', `ls /mnt; cat /mnt${ground.canary} 2>&1`],
    );
    expect(said).toMatch(/^launch$/m); // it did get out: the box's launcher lies there
    expect(said).not.toContain(ground.secret);
    expect(said).toMatch(/No such file/);
  });

  test('by a proc file system, to the kernel’s settings', async () => {
    // Whatever it is set to stays: the same value is written.
    const name = '/proc/sys/kernel/printk_ratelimit';
    const value = readFileSync(name, 'utf8').trim();
    const said = await ground.attempt(
      'mount',
      `{ ${inMounts}, kind: 'write', dir: 'root', path: '${name}', data: '${value}' },`,
      ['echo', 'written'],
    );
    expect(said).not.toMatch(/^written/m);
  });

  test('by a device node of the host’s disk or memory', async () => {
    const said = await ground.attempt(
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
    const said = await ground.attempt(
      'chroot',
      plant(walkOut(`ls /; cat ${ground.canary} /etc/shadow 2>&1`)),
      ['sh'],
    );
    expect(said).toMatch(/^uid 0\n[\s\S]*^launch$/m); // it did get out: the box's launcher lies there
    expect(said).not.toContain(ground.secret);
    expect(said).not.toMatch(/^(boot|home\/.+)$/m);
    expect(said).toMatch(/shadow'?: No such file/);
  });

  test('ends no process of the host’s', async () => {
    const victim: ChildProcess = spawn('sleep', ['20']);
    const ended = new Promise((done) => victim.once('exit', (_, signal) => done(signal)));
    const said = await ground.attempt('chroot', plant(`kill -9 ${victim.pid}; kill -9 -1; echo alone`), [
      'sh',
    ]);
    victim.kill('SIGTERM');
    expect(said).toContain('No such process');
    expect(await ended).toBe('SIGTERM');
  });

  test('can set nothing in /proc/sys or /sys', async () => {
    const script = `mkdir /p /s; mount -t proc p /p; mount -t sysfs s /s
      ls /p/sys/kernel/core_pattern; cat /p/sys/kernel/printk_ratelimit >/p/sys/kernel/printk_ratelimit && echo written
      for file in /p/sysrq-trigger /s/power/state /s/kernel/uevent_helper; do (: >>$file) 2>/dev/null && echo opened $file; done`;
    const said = await ground.attempt('chroot', plant(script), ['sh']);
    expect(said).toContain('/p/sys/kernel/core_pattern');
    expect(said).not.toMatch(/written|opened/);
  });

  test('can set no clock, and nothing of a /sys that it makes writable', async () => {
    // The date as it is: should this ever succeed, the host keeps it to the second.
    const script = `date -s "$(date "+%Y-%m-%d %H:%M:%S")" 2>&1; grep -c . /sys/kernel/uevent_seqnum
      mount -o remount,rw,bind /sys; mount -t sysfs s /mnt
      for file in /sys/kernel/uevent_helper /mnt/kernel/uevent_helper /sys/power/state; do
        (: >>$file) 2>/dev/null && echo opened $file; done; echo end`;
    const said = await ground.attempt('time', plant(script), ['sh']);
    expect(said).toMatch(/not permitted[\s\S]*^1$[\s\S]*^end$/m);
    expect(said).not.toMatch(/opened/);
  });

  test('may not make every system call', async () => {
    expect(await ground.attempt('process', '', ['grep', 'Seccomp:', '/proc/self/status'])).toMatch(/2$/m);
  });

  test('has a limit of processes', async () => {
    const bomb = ': >/dev/null; i=0; while [ $i -lt 2000 ]; do sleep 3 & i=$((i+1)); done; echo "all 2000"';
    expect(await ground.attempt('chroot', plant(bomb), ['sh'])).not.toContain('all 2000');
  });

  test('leaves no process behind, and can’t end its launcher', async () => {
    const seconds = 3000 + (process.pid % 1000);
    const script = `for i in 1 2 3; do (setsid sleep ${seconds} &) ; done; kill -9 $PPID; echo begun`;
    expect(await ground.attempt('process', '', ['sh', '-c', script])).toBe('begun\n');
    const left = readdirSync('/proc').filter((pid) => commandOf(pid).includes(`sleep\0${seconds}`));
    for (const pid of left) process.kill(Number(pid), 'SIGKILL');
    expect(left).toEqual([]);
  });

  test('leaves no folder that can’t be removed', async () => {
    // 60 levels of 100 letters are more than a path may have (PATH_MAX, 4096).
    const deep = `N=${'n'.repeat(100)}; mkdir $N; i=0; while [ $i -lt 60 ]; do mkdir m; mv $N m; mv m $N; i=$((i+1)); done; echo deep`;
    expect(await ground.attempt('chroot', plant(`cd /tmp; ${deep}`), ['sh'])).toBe('deep\n');
    expect(attemptFolders()).toEqual([]);
  });
});

test('a plan that never comes to its end is ended with its attempts', async () => {
  const fifo = "dir: 'root', path: '/fifo'";
  const never = `{ at: 'child', phase: 'exec', kind: 'mknod', ${fifo}, mode: 0o10644, major: 0, minor: 0 },
    { at: 'child', phase: 'exec', kind: 'open', ${fifo}, flags: ['O_RDONLY'] },`;
  const attempts = new Attempts(lessonOf('chroot'), ground.hostile('chroot', never));
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
