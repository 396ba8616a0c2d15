import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseScene } from '../../../src/course/blocks.ts';
import { belongings, leftSince } from '../../../src/course/leftovers.ts';
import { type Shown, Stage } from '../../../src/course/scenes.ts';

const isRoot = process.getuid?.() === 0;
let stage: Stage | undefined;
beforeEach((ctx) => {
  ctx.skip(!isRoot, 'needs root');
  stage = new Stage('pid');
});
afterEach(() => stage?.close());

test('a scene holds when everything is as claimed', async () => {
  const shown = await play(`# Two commands.
@host$ cd /; pwd
=> ^/$
=! home
@host$ pwd; false
=> ^/$
=? 1`);
  expect(shown.map(({ holds }) => holds)).toEqual([true, true]);
});

test.each([
  ['a pattern that does not match', '@host$ echo a\n=> b'],
  ['a pattern that must not match', '@host$ echo a\n=! a'],
  ['a status that nobody spoke of', '@host$ false'],
  ['another status', '@host$ (exit 3)\n=? 4'],
])('it does not hold with %s', async (_, text) => {
  const [shown] = await play(text);
  expect(shown?.holds).toBe(false);
});

test("mounts of a scene can't be seen from here, and processes and files of it are gone at the end", async () => {
  const [mounted] = await play(`@host$ mkdir $SCRATCH/m && mount -t tmpfs scene $SCRATCH/m && echo $SCRATCH/m
@host$ (setsid sleep 1234 & echo $!)`);
  const point = mounted?.output ?? '';
  expect(existsSync(point)).toBe(true);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(point);
  await expect.poll(() => processes('sleep\x001234\0').length).toBe(1);
  await stage?.close();
  expect(existsSync(point)).toBe(false);
  await expect.poll(() => processes('sleep\x001234\0')).toEqual([]);
});

test('a network of a scene is not ours, and what talks to itself is heard', async () => {
  const [added, lo] = await play(`@host$ ip link add scene-br type bridge && ip -brief link
=> ^scene-br\\b
@host$ ip -brief address show lo
=> 127\\.0\\.0\\.1`);
  expect([added?.holds, lo?.holds]).toEqual([true, true]);
  expect(readFileSync('/proc/self/net/dev', 'utf8')).not.toContain('scene-br');
});

test('a container that a scene left in the background is ended as others are', async () => {
  const before = belongings();
  const name = `scene-left-${process.pid}`;
  const shown = await play(`@host$ tslab run --lesson pid --name ${name} -- sleep 1000 &
@host$ until tslab ps --quiet | grep ${name}; do sleep 0.1; done`);
  expect(shown.at(-1)?.holds).toBe(true);
  expect([...belongings()].join()).toContain(name);
  await stage?.close();
  expect(await leftSince(before)).toEqual([]);
});

test('after a command that ended the shell there is a new one', async () => {
  const shown = await play('@host$ exit 7\n=? 7\n@host$ echo again\n=> again');
  expect(shown.map(({ holds }) => holds)).toEqual([true, true]);
});

async function play(text: string): Promise<Shown[]> {
  const all: Shown[] = [];
  const scene = parseScene('test', text, { file: 'test.md', line: 1 });
  for await (const { line, run } of stage?.play(scene) ?? [])
    if (line.type === 'command') all.push(await run());
  return all;
}

function processes(cmdline: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === cmdline;
    } catch {
      return false;
    }
  });
}
