import { readdirSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import type { Ask } from '../../../src/course/ask.ts';
import { Quit } from '../../../src/course/ask.ts';
import { parseLesson } from '../../../src/course/lesson.ts';
import { playLesson } from '../../../src/course/player.ts';
import type { LessonProgress, ProgressFile } from '../../../src/course/progress.ts';
import { screen } from '../../../src/course/screen.ts';

const isRoot = process.getuid?.() === 0;
beforeEach((ctx) => {
  ctx.skip(!isRoot, 'needs root');
});

test('by itself: plays all, exit status 0 when every claim holds', async () => {
  const { status, output } = await play();
  expect(status).toBe(0);
  expect(output).toMatch(/^host {6}\$ echo outside$/m);
  expect(output).toMatch(/^ {10}│ outside$/m);
  expect(output).toContain('✔ The answer: that');
  expect(output).toContain('✔ 2 scenes played, all 4 claims held.');
});

test('by itself: a claim that does not hold is listed with its place, and the exit status is 1', async () => {
  const { status, output } = await play({ text: text.replace('=> outside', '=> inside') });
  expect(status).toBe(1);
  expect(output).toMatch(
    /✘ 1 command did not show what the text says:\n {2}lesson\.md:18: host\$ echo outside/,
  );
  expect(output).toMatch(/expected: output that matches \/inside\/\n {4}the kernel showed:\n {6}outside/);
});

test('no line is longer than 80 columns, and without a terminal there are no colours', async () => {
  const { output } = await play();
  expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(output).not.toContain('\x1b');
});

test('a learner answers, goes on, quits, and next time goes on there, on the same stage', async () => {
  const kept: LessonProgress = {};
  // Enter after Predict, `a` for the first scene, then q at the second.
  const first = await play({ ask: answers(['', 'a', 'q']), kept });
  expect(first.status).toBe(0);
  expect(first.output).toContain('✘ Not quite. The answer: that');
  expect(kept).toEqual({ position: 3, parts: 9 });

  const second = await play({ ask: answers([]), kept });
  expect(second.status).toBe(0);
  expect(second.output).toContain('Going on where you were: part 4 of 9');
  expect(second.output).not.toContain('echo outside');
  // The variable was set by the first scene.
  expect(second.output).toMatch(/│ from before$/m);
  expect(kept).toMatchObject({ position: 0, played: expect.stringMatching(/^20/) });
});

test('Ctrl-C while a command runs: status 130, and what the scenes made is gone', async () => {
  const controller = new AbortController();
  const slow = text.replace('echo $x', 'touch $SCRATCH/here; echo $SCRATCH/here; sleep 60');
  const playing = play({ text: slow.replace('=> before', ''), signal: controller.signal });
  setTimeout(() => controller.abort(), 1000);
  const { status, output } = await playing;
  expect(status).toBe(130);
  // Its own folder; another tslab may be at work beside.
  const made = readdirSync('/var/lib/tslab', { recursive: true }).map(String);
  expect(output).toContain('touch $SCRATCH/here');
  expect(made.filter((name) => name.startsWith(`course/${process.pid}-`))).toEqual([]);
});

/** Gives keys in turn, then Enter for ever; always takes the first option. */
function answers(keys: string[]): Ask {
  const left = [...keys];
  return {
    async key() {
      const key = left.shift() ?? '';
      if (key === 'q') throw new Quit(0);
      return key;
    },
    choose: async () => 0,
    menu: async (_message, choices) => (choices[0] as (typeof choices)[0]).value,
  };
}

interface Options {
  text?: string;
  ask?: Ask;
  kept?: LessonProgress;
  signal?: AbortSignal;
}

async function play(options: Options = {}): Promise<{ status: number; output: string }> {
  const lesson = parseLesson(options.text ?? text, 'lesson.md', 'en', () => '');
  const { kept } = options;
  const progress: ProgressFile | undefined = kept && {
    file: '',
    read: () => ({ version: 1, lessons: { test: { ...kept } } }),
    update: () => {},
    lesson: (_id, change) => Object.assign(kept, change),
  };
  let output = '';
  const out = { columns: 80, isTTY: false, write: (part: string) => (output += part) };
  const status = await playLesson({
    lesson: { number: 99, id: 'test', folder: '', folderName: '99-test' },
    texts: { en: lesson, zh: lesson },
    language: 'en',
    screen: screen({}, out as unknown as NodeJS.WriteStream),
    ask: options.ask,
    progress,
    restart: false,
    signal: options.signal ?? new AbortController().signal,
  });
  return { status, output };
}

const text = `# A test

## Predict

\`\`\`question
This or that?
- ( ) this
- (x) that
> It had to be that, since the sentence that follows here is long enough to be broken into two lines.
\`\`\`

## See

Some words.

\`\`\`scene first
# What the host says.
@host$ echo outside
=> outside
@host$ x='from before'
\`\`\`

\`\`\`scene second
@host$ echo $x
=? *
=> before
\`\`\`

## Why

## Break

## Build

## Check

## So far
`;
