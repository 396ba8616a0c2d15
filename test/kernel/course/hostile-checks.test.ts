/**
 * Submissions that attack whoever grades them, as root: by their code and by what the checks read. Each test is one way from a learner's stage to the host
 * that was open once. Payloads are harmless: a canary that only root can read, a file of a random name, a process of ours.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lessons } from '../../../lessons/index.ts';
import { Attempts } from '../../../src/course/attempt.ts';
import { type Grade, grade } from '../../../src/course/grade.ts';
import { ownFolder, removeFolder } from '../../../src/course/rootfs.ts';
import { evaluate } from '../../../src/course/sandbox.ts';
import { probe } from '../../../src/facts/probe.ts';
import { Grounds, lessonOf, plant, random } from '../../support/hostile.ts';

let ground: Grounds;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  ground = new Grounds();
});
afterEach(() => ground?.[Symbol.dispose]());

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
    ground.hostile(id, steps),
  );
}

describe('the checks, which are root,', () => {
  const planted = (script: string) =>
    plant(`echo ready; while read -r line; do ${script}; eval "$line"; done`);

  test('follow no symlink to a file of the host', async () => {
    const grade = await graded('mount', planted(`ln -sf ${ground.canary} /volume/answer`), 'volume');
    expect(JSON.stringify(grade)).not.toContain(ground.secret);
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
    const name = "{ at: 'child', phase: 'start', kind: 'sethostname', name: '\\x1b[2J\\x9b31m\\nowned' },";
    const named = await graded('uts', name, 'hostname');
    expect(JSON.stringify(named)).toContain('owned');
    for (const text of [grade, thrown, named].map((one) => everyText(one).join('\n')))
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
  execFileSync('mount', ['--bind', ground.folder, point]);
  try {
    expect(() => removeFolder(own)).toThrow();
    expect(readFileSync(ground.canary, 'utf8')).toContain(ground.secret);
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
