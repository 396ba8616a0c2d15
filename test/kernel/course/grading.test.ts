/** A class is marked: right, partly right, empty, broken and hostile submissions, each as it deserves. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ClassReport, LessonMark } from '../../../src/course/grading/report.ts';
import { packageRoot } from '../../../src/package-root.ts';

const home = mkdtempSync(join(tmpdir(), 'tslab-grade-'));
const dir = join(home, 'class');
const secret = join(home, 'secret');
const tslab = (...args: string[]) =>
  spawnSync(join(packageRoot, 'bin/tslab'), args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8' },
  });

const reference = (folder: string) => readFileSync(join(packageRoot, 'lessons', folder, 'stage.ts'), 'utf8');
const starter = (folder: string) => readFileSync(join(packageRoot, 'lessons', folder, 'exercise.ts'), 'utf8');
const right = { chroot: reference('01-chroot'), pid: reference('03-pid') };
const stage = (body: string) => `export default function stage(spec: any) { ${body} }`;

/** What each hands in, and the marks that they get: points for the checks, or the problem's name. */
const handed: Record<string, { files: Record<string, string>; marks: [string, string] }> = {
  right: { files: right, marks: ['4/4', '6/6'] },
  talkative: {
    files: { ...right, pid: `console.log('debug');\n${right.pid}` },
    marks: ['4/4', '6/6'],
  },
  starter: { files: { chroot: starter('01-chroot'), pid: starter('03-pid') }, marks: ['1/4', '0/6'] },
  half: { files: { pid: right.pid.replace("'CLONE_NEWPID'", '') }, marks: ['missing', '1/6'] },
  noInit: {
    files: { pid: right.pid.replace("kind: 'init'", "kind: 'umask', mask: 18") },
    marks: ['missing', '4/6'],
  },
  empty: { files: {}, marks: ['missing', 'missing'] },
  blank: { files: { chroot: '', pid: ' ' }, marks: ['export', 'export'] },
  typo: { files: { pid: 'export default function (' }, marks: ['missing', 'syntax'] },
  printsTheAnswer: {
    files: { pid: stage("console.log('ready pass ✔ 6/6'); return [];") },
    marks: ['missing', '0/6'],
  },
  leavesEarly: { files: { pid: stage('process.exit(0)') }, marks: ['missing', 'exit'] },
  killsTheGrader: {
    files: { pid: stage('process.kill(process.ppid, 9); return []') },
    marks: ['missing', '0/6'],
  },
  writes: {
    files: {
      pid: `import { writeFileSync } from 'node:fs';\n${stage(`writeFileSync(${JSON.stringify(secret)}, 'x'); return []`)}`,
    },
    marks: ['missing', 'import'],
  },
  loops: { files: { pid: stage('for (;;);') }, marks: ['missing', 'time'] },
  eats: {
    files: { pid: stage("const all = []; for (;;) all.push('x'.repeat(1e6) + all.length);") },
    marks: ['missing', 'memory'],
  },
  forksForEver: {
    files: {
      pid: right.pid.replace(
        '...init(spec)]',
        "...init(spec), { at: 'child', phase: 'start', kind: 'spawn', path: '/bin/sh', argv: ['sh', '-c', 'f() { f | f & }; f'], envp: [], input: '', timeout: 500 } as never]",
      ),
    },
    marks: ['missing', 'plan'],
  },
  fillsTheDisk: {
    files: {
      pid: right.pid.replace(
        '...init(spec)]',
        "...init(spec), { at: 'child', phase: 'start', kind: 'spawn', path: '/bin/sh', argv: ['sh', '-c', 'dd if=/dev/zero of=/fill bs=1M count=64 2>/dev/null'], envp: [], input: '', timeout: 2000 } as never]",
      ),
    },
    marks: ['missing', 'plan'],
  },
};

let report: ClassReport;

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));
beforeAll(() => {
  if (process.getuid?.() !== 0) return;
  writeFileSync(secret, 'unchanged');
  for (const [name, { files }] of Object.entries(handed)) {
    mkdirSync(join(dir, name), { recursive: true });
    for (const [id, text] of Object.entries(files)) writeFileSync(join(dir, name, `${id}.ts`), text);
  }
  mkdirSync(join(dir, 'linksOut'));
  symlinkSync(secret, join(dir, 'linksOut/pid.ts'));
  const args = [
    'grade',
    dir,
    '--lessons',
    'chroot,pid',
    '--format',
    'json',
    '--seed',
    'spring',
    '--jobs',
    '2',
  ];
  const { stdout, stderr } = tslab(...args);
  try {
    report = JSON.parse(stdout);
  } catch {
    throw new Error(`no report: ${stdout}${stderr}`);
  }
}, 240_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const shown = ({ problem, points, of }: LessonMark) => problem?.code ?? `${points}/${of}`;

test.each(Object.entries(handed))('%s', (name, { marks }) => {
  const one = report.submissions.find((submission) => submission.name === name);
  expect(one?.lessons.map((mark) => shown(mark))).toEqual(marks);
});

test('a link to a file of somebody else’s is not read', () => {
  const one = report.submissions.find(({ name }) => name === 'linksOut');
  expect(one?.lessons[1]?.problem?.message).toContain('symbolic link');
  expect(readFileSync(secret, 'utf8')).toBe('unchanged');
});

test('the report shows whether it was changed', () => {
  const file = join(home, 'report.json');
  writeFileSync(file, JSON.stringify(report));
  expect(tslab('grade', 'verify', file)).toMatchObject({ status: 0 });
  writeFileSync(file, JSON.stringify({ ...report, date: 'later' }));
  expect(tslab('grade', 'verify', file)).toMatchObject({ status: 1 });
});

test('with a seed, the same marks and the same words a second time', () => {
  const again = tslab(
    'grade',
    join(dir, 'starter'),
    '--lessons',
    'pid',
    '--format',
    'json',
    '--seed',
    'spring',
  );
  const [mark] = (JSON.parse(again.stdout) as ClassReport).submissions[0]?.lessons ?? [];
  const words = (one: LessonMark | undefined) =>
    one?.checks.map(({ expected }) => /tslab-\w+/.exec(expected ?? '')?.[0]);
  const before = report.submissions.find(({ name }) => name === 'starter')?.lessons[1];
  expect(words(mark)?.some((word) => word !== undefined)).toBe(true);
  expect(words(mark)).toEqual(words(before));
});

test('nobody’s progress is touched', () => {
  expect(existsSync(join(home, '.local/state/tslab/progress.json'))).toBe(false);
});
