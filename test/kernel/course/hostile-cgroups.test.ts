/**
 * Submissions that attack whoever grades them, as root: by the subtree of cgroups that their box is given. They may do in there
 * what they like; the box's own limits, and everything above and beside it, are the host's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Attempts } from '../../../src/course/attempt.ts';
import type { Running } from '../../../src/course/check.ts';
import { directoryOf } from '../../../src/evidence/cgroup.ts';
import { mountinfo } from '../../../src/evidence/mountinfo.ts';
import { status } from '../../../src/evidence/process.ts';
import { probe } from '../../../src/facts/probe.ts';
import { Grounds, lessonOf, plant } from '../../support/hostile.ts';

let ground: Grounds;
let attempts: Attempts | undefined;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ctx.skip(!probe().cgroup.writable, 'needs cgroups that may be written');
  ground = new Grounds();
});
afterEach(async () => {
  await attempts?.close();
  attempts = undefined;
  ground?.[Symbol.dispose]();
});

/** Where its pids limit is, in the box, in the words of a plan. */
const top = '(facts.cgroup.controllers.pids ?? facts.cgroup.unified)';
const hostSteps = "at: 'host', phase: 'prepare'";

/** The config asks for no cgroup namespace: the program is in the box's, whose top is the box's own cgroup. */
async function start(steps: string, argv = ['sh']): Promise<Running> {
  attempts = new Attempts(lessonOf('cgroup'), ground.hostile('cgroup', steps));
  return await attempts.start(argv, ({ linux }) => {
    linux?.namespaces?.splice(0, 99, ...linux.namespaces.filter(({ type }) => type !== 'cgroup'));
  });
}

/** All that is the container's on the host: its directory in each tree that it was given. */
const places = ({ pid }: Running): string[] =>
  ['cpu', 'memory', 'pids', ''].flatMap((name) => directoryOf(pid, name) ?? []);

/** The box's own directory there: the first below the tree's top. */
function boxOf(place: string): string {
  const tree = mountinfo('self').find(
    ({ at, type }) => type.startsWith('cgroup') && place.startsWith(`${at}/`),
  );
  return join(tree?.at ?? '', place.slice((tree?.at.length ?? 0) + 1).split('/')[0] ?? '');
}

describe('a plan', () => {
  test('can’t write a limit of the box', async () => {
    const write = `{ ${hostSteps}, kind: 'write', path: ${top} + '/pids.max', data: 'max' },`;
    expect(await ground.attempt('cgroup', write, ['true'])).toMatch(/name the directory/);
  });

  test.each(['mkdir', 'rmdir'])('can’t %s outside of its trees by path', async (kind) => {
    const path = join(ground.folder, 'x');
    const mode = kind === 'mkdir' ? ', mode: 0o755' : '';
    expect(
      await ground.attempt('cgroup', `{ ${hostSteps}, kind: '${kind}', path: '${path}'${mode} },`, ['true']),
    ).toMatch(/no business|name the directory/);
    const upwards = `{ ${hostSteps}, kind: 'mkdir', path: ${top} + '/../x', mode: 0o755 },`;
    expect(await ground.attempt('cgroup', upwards, ['true'])).toMatch(/name the directory/);
  });

  test('has no undo elsewhere', async () => {
    const undo = `{ ${hostSteps}, kind: 'mkdir', path: ${top} + '/x', mode: 0o755, undo: { kind: 'rmdir', path: '${ground.folder}' } },`;
    expect(await ground.attempt('cgroup', undo, ['true'])).toMatch(/undo/);
  });
});

describe('a program', () => {
  const seeing = (script: string) =>
    plant(`mkdir /c && { mount -t cgroup -o pids c /c || mount -t cgroup2 c /c; }\n${script}`);

  test('sees nothing above its box, and stays in there with the limits of the box', async () => {
    const agents = releaseAgents();
    const running = await start(
      seeing(`ls /c | grep -v '[.]' | tr '\\n' ' '; echo
        mkdir /m; mount -t cgroup -o memory m /m || mount --bind /c /m; mkdir /u; mount -t cgroup2 u /u
        for file in c/pids.max m/memory.max m/memory.limit_in_bytes u/cgroup.max.depth c/notify_on_release c/release_agent; do
          (echo 100000 >/$file) 2>/dev/null && echo wrote $file; done
        mkdir /r; mount -t cgroup -o pids,release_agent=/bin/true r /r && echo mounted
        echo 0 >/c/cgroup.procs; mkdir /c/mine && echo 0 >/c/mine/cgroup.procs; echo done; exec sleep 100`),
    );
    expect(await running.waitFor(/^done$/m)).toBe(true);
    expect(running.stdout()).toMatch(/tslab-attempt/);
    expect(running.stdout()).not.toMatch(/wrote|mounted|process_api|system\.slice|tslab-(?!attempt)/);
    const place = directoryOf(running.pid, 'pids') ?? '';
    const box = boxOf(place);
    expect(place).toMatch(/^.*\/tslab-[0-9a-f]{12}\/mine$/);
    expect(readFileSync(join(box, 'pids.max'), 'utf8')).toBe('512\n');
    expect(releaseAgents()).toEqual(agents);
  });

  test('leaves nothing: not deeper than a path can name, nor frozen, nor busy', async () => {
    const running = await start(
      seeing(`N=${'n'.repeat(100)}; cd /c; i=0; while [ $i -lt 60 ] && mkdir $N && cd $N; do i=$((i+1)); done 2>/dev/null
        cd /c; mkdir a b b/c; (echo 0 >/c/b/c/cgroup.procs; sleep 1000) &
        (mkdir /u; mount -t cgroup2 u /u; mkdir /u/f && echo 0 >/u/f/cgroup.procs; echo 1 >/u/f/cgroup.freeze; sleep 1000) &
        sleep 1; echo done; exec sleep 1000`),
    );
    expect(await running.waitFor(/^done$/m)).toBe(true);
    const boxes = places(running).map(boxOf);
    expect(boxes.filter((path) => existsSync(path))).toEqual(boxes);
    await attempts?.close();
    expect(boxes.filter((path) => existsSync(path))).toEqual([]);
  });
});

test('after kill -9 of the box’s launcher nothing is left either', async () => {
  const running = await start('', ['sleep', '1000']);
  const boxes = places(running).map(boxOf);
  expect(boxes.length).toBeGreaterThan(0);
  const inside = status(running.pid).parent;
  process.kill(status(inside).parent, 'SIGKILL');
  await running.exit.catch(() => {});
  await attempts?.close();
  expect(boxes.filter((path) => existsSync(path))).toEqual([]);
});

/** v1 runs a program of root's when a cgroup has become empty, if one is set (cgroups(7), "release_agent"). */
const releaseAgents = (): string[] =>
  mountinfo('self')
    .filter(({ type }) => type === 'cgroup')
    .map(({ at }) => readFileSync(join(at, 'release_agent'), 'utf8'));
