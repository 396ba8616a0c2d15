import { execFileSync } from 'node:child_process';
import { chownSync, lchownSync, linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { learner } from '../../src/course/learner.ts';
import { readStage } from '../../src/course/read-stage.ts';
import { type Evaluation, evaluate, type Problem, StageProblem } from '../../src/course/sandbox.ts';

const isRoot = process.getuid?.() === 0;

describe('a stage gives a plan', () => {
  test('from spec and facts, with helpers of tslab and types stripped', async () => {
    const { drafts, printed } = await stage(`import { type Draft, namespace, type Spec } from 'tslab';
console.log('thinking');
export default function pid(spec: Spec, facts: { uid: number }): Draft[] {
  return [{ asked: namespace(spec, 'pid'), uid: facts.uid }] as never;
}`);
    expect(drafts).toEqual([{ asked: { type: 'pid' }, uid: 5 }]);
    expect(printed).toBe('thinking\n');
  });

  test('and whatever else it returns is handed on to be judged', async () => {
    expect((await stage('export default () => {}')).drafts).toBeUndefined();
    expect((await stage('export default () => 3')).drafts).toBe(3);
  });

  test('also when it writes to standard output by itself', async () => {
    const { drafts } = await stage(
      'export default () => { process.getBuiltinModule("fs").writeSync(1, "[]\\n"); return [1] }',
    );
    expect(drafts).toEqual([1]);
  });
});

describe('what is wrong is said once, with the line', () => {
  const cases: [string, string, Partial<Problem>][] = [
    ['TypeScript syntax', 'export default function pid( {\n  return [\n}', { code: 'syntax', line: 2 }],
    [
      'JavaScript syntax',
      'const x: number = 1;\nconst x = 2;\nexport default () => []',
      { code: 'syntax', line: 2 },
    ],
    ['an enum', '\nenum A { B }\nexport default () => []', { code: 'syntax', line: 2 }],
    [
      'it throws',
      'export default function f() {\n  const a: any = 0;\n  return a.b.c;\n}',
      { code: 'throws', line: 3, column: 14 },
    ],
    ['it throws at once', '\n\nthrow new Error("top")', { code: 'throws', line: 3, message: 'Error: top' }],
    ['it throws no Error', 'throw "x"', { code: 'throws', message: 'x' }],
    ['no default export', 'export const a = 1', { code: 'export' }],
    ['a promise', 'export default async () => []', { code: 'nonsense' }],
    [
      'a circle',
      'export default () => { const a: unknown[] = []; a.push(a); return a }',
      { code: 'nonsense' },
    ],
    ['a BigInt', 'export default () => [1n]', { code: 'nonsense' }],
    ['it exits', 'export default () => { process.exit(3) }', { code: 'exit', line: 1 }],
    ['it exits the hard way', 'export default () => { (process as any).reallyExit(3) }', { code: 'exit' }],
    ['it awaits for ever', 'await new Promise(() => {});\nexport default () => []', { code: 'time' }],
    [
      'it prints for ever',
      'export default () => { for (;;) console.log("x".repeat(9999)) }',
      { code: 'output' },
    ],
    [
      'it eats memory',
      'export default () => { const a = []; for (;;) a.push(new Array(9999).fill(1)) }',
      { code: 'memory' },
    ],
    [
      'it eats memory outside the heap',
      'export default () => { const a = []; for (;;) a.push(Buffer.alloc(1e7, 1)) }',
      { code: 'throws', message: expect.stringMatching(/memory/) },
    ],
    [
      'it imports fs',
      "import { readFileSync } from 'node:fs';\nexport default () => []",
      { code: 'import', line: 1, message: 'node:fs' },
    ],
    [
      'it reads /etc/shadow',
      "export default () =>\n process.getBuiltinModule('fs').readFileSync('/etc/shadow')",
      { code: 'denied', line: 2, message: 'FileSystemRead /etc/shadow' },
    ],
    [
      'it reads /etc/passwd',
      "export default () =>\n process.getBuiltinModule('fs').readFileSync('/etc/passwd')",
      { code: 'denied' },
    ],
    [
      'it writes',
      "export default () => process.getBuiltinModule('fs').writeFileSync('/tmp/x', '')",
      { code: 'denied' },
    ],
    [
      'it opens a socket',
      "export default () => {\n process.getBuiltinModule('net').connect(80, '127.0.0.1'); return [] }",
      { code: 'denied', message: expect.stringContaining('allow-net') },
    ],
    [
      'it starts a process',
      "export default () =>\n process.getBuiltinModule('child_process').execSync('id')",
      { code: 'denied', line: 2, message: 'ChildProcess /bin/sh' },
    ],
    [
      'it starts a thread',
      "export default () => new (process.getBuiltinModule('worker_threads').Worker)('1', { eval: true })",
      { code: 'denied' },
    ],
  ];
  test.each(cases)('%s', async (_, source, problem) => {
    const error = await stage(source).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(StageProblem);
    expect((error as StageProblem).problem).toMatchObject(problem);
  });

  test('it loops for ever: killed after the time limit', async () => {
    await expect(stage('export default () => { for (;;); }')).rejects.toMatchObject({
      problem: { code: 'time' },
    });
  }, 70_000);
});

test('it runs as nobody, alone, with an empty environment', async (ctx) => {
  ctx.skip(!isRoot, 'needs root');
  const { drafts } = await stage(
    'export default () => [process.getuid(), process.geteuid(), process.getgroups(), process.pid, Object.keys(process.env)]',
  );
  expect(drafts).toEqual([65534, 65534, [65534], 1, expect.not.arrayContaining(['PATH', 'HOME'])]);
});

describe("reading a learner's file", () => {
  const who = learner({});
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'workspace-'));
    file = join(dir, 'pid.ts');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('gives its text', () => {
    writeFileSync(file, 'export default 1');
    expect(readStage(file, who)).toBe('export default 1');
  });

  test.each<[string, () => void, RegExp]>([
    ['that is not there', () => {}, /no such file/],
    ['a symlink', () => symlinkSync('/etc/shadow', file), /symbolic link/],
    ['a folder', () => execFileSync('mkdir', [file]), /not a regular file/],
    ['a FIFO', () => execFileSync('mkfifo', [file]), /not a regular file/],
    ['too large', () => writeFileSync(file, Buffer.alloc(300_000)), /300000 bytes/],
    [
      'a hard link',
      () => {
        writeFileSync(join(dir, 'other'), '');
        linkSync(join(dir, 'other'), file);
      },
      /hard links/,
    ],
  ])('refuses one %s', (_, make, message) => {
    make();
    expect(() => readStage(file, who)).toThrow(message);
  });

  test('refuses one behind a symlink that somebody else has placed', (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    // A student's folder leads to the instructor's own solution.
    writeFileSync(file, 'export default 1');
    const link = `${dir}-link`;
    symlinkSync(dir, link);
    try {
      expect(readStage(join(link, 'pid.ts'), who)).toBe('export default 1');
      lchownSync(link, 1234, 1234);
      expect(() => readStage(join(link, 'pid.ts'), who)).toThrow(/-link, which is a symbolic link/);
    } finally {
      rmSync(link);
    }
  });

  test('refuses one of somebody else', (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    writeFileSync(file, '');
    chownSync(file, 1234, 1234);
    expect(() => readStage(file, who)).toThrow(/belongs to uid 1234/);
    // An instructor marks a student's folder: file and folder are of one owner.
    chownSync(dir, 1234, 1234);
    expect(readStage(file, who)).toBe('');
  });
});

function stage(source: string): Promise<Evaluation> {
  return evaluate('/workspace/pid.ts', source, { linux: { namespaces: [{ type: 'pid' }] } }, { uid: 5 });
}
