/**
 * Evaluates a learner's file without trusting it. The file's text, not the file, goes to a Node process that may
 * touch nothing (Node's permission model) and has nothing to touch (cell.ts), with little memory and little time. All
 * that comes back is JSON, which validateDrafts then judges.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../package-root.ts';
import type { Exit } from '../runtime/exit.ts';
import { startCell } from './cell.ts';
import { timeScale } from './scale.ts';
import { words } from './words.ts';

/** What was wrong with a stage; words.ts has a sentence for each code. */
export interface Problem {
  code:
    | 'missing'
    | 'file'
    | 'syntax'
    | 'import'
    | 'export'
    | 'throws'
    | 'nonsense'
    | 'denied'
    | 'exit'
    | 'time'
    | 'memory'
    | 'output'
    /** validateDrafts refused it, or it composes to no plan. */
    | 'plan';
  message: string;
  line?: number;
  column?: number;
}

/** A learner's stage that gives no plan. `file` and the problem's line say where to look. */
export class StageProblem extends Error {
  override readonly name = 'StageProblem';
  readonly file: string;
  readonly problem: Problem;
  constructor(file: string, problem: Problem) {
    const place = [file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
    super(`${place}: ${problem.message}`);
    this.file = file;
    this.problem = problem;
  }
}

export interface Evaluation {
  /** Whatever the stage returned: unknown, until validateDrafts has seen it. */
  drafts: unknown;
  /** What it printed. */
  printed: string;
}

const MAX_ANSWER = 4 * 1024 * 1024;
const MAX_PRINTED = 256 * 1024;

/** @throws StageProblem for everything that a stage can do wrong before it has returned something. */
export async function evaluate(
  file: string,
  source: string,
  spec: unknown,
  facts: unknown,
): Promise<Evaluation> {
  const nonce = randomBytes(16).toString('hex');
  const sandbox = await startSandbox();
  const result = collect(sandbox, 5000 * timeScale());
  sandbox.stdin?.on('error', () => {}); // it may have ended before it read
  sandbox.stdin?.end(JSON.stringify({ nonce, name: basename(file), source, spec, facts }));
  const { stdout, stderr, ended } = await result;

  const at = stdout.indexOf(nonce);
  if (at < 0) throw new StageProblem(file, explainEnd(ended, stderr));
  const answer = parseAnswer(stdout.slice(at + nonce.length));
  if (!answer) throw new StageProblem(file, { code: 'nonsense', message: 'no answer that can be read' });
  if ('problem' in answer) throw new StageProblem(file, answer.problem);
  return { drafts: answer.drafts, printed: stderr };
}

/** The learner's code has run where this was written: it may be anything. */
function parseAnswer(text: string): { problem: Problem } | { drafts: unknown } | undefined {
  let answer: { problem?: Partial<Record<keyof Problem, unknown>>; drafts?: { value?: unknown } } | null;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { code, message, line, column } = answer?.problem ?? {};
  if (code === undefined) return answer?.drafts ? { drafts: answer.drafts.value } : undefined;
  const known = Object.keys(words.en.problem).find((name) => name === code) as Problem['code'] | undefined;
  return {
    problem: {
      code: known ?? 'nonsense',
      message: String(message),
      ...(Number.isInteger(line) ? { line: Number(line) } : {}),
      ...(Number.isInteger(column) ? { column: Number(column) } : {}),
    },
  };
}

interface Sandbox {
  stdin: Writable | null;
  stdout: Readable | null;
  stderr: Readable | null;
  ended: Promise<Exit>;
  kill(): void;
  /** When all is over. */
  remove(): void;
}

/** Of an argument, the kernel takes 128 KiB (execve(2), MAX_ARG_STRLEN); unpacked, the program is more. */
const unpack = (program: Buffer): string => `
import { registerHooks } from 'node:module';
import { gunzipSync } from 'node:zlib';
const url = 'file:///evaluate.mjs';
const source = gunzipSync(Buffer.from('${gzipSync(program).toString('base64')}', 'base64')).toString();
registerHooks({
  resolve: (name, context, next) => (name === url ? { url, shortCircuit: true } : next(name, context)),
  load: (name, context, next) =>
    name === url ? { format: 'module', source, shortCircuit: true } : next(name, context),
});
await import(url);`;

/** The program comes as an argument: there is no file in there to read it from. */
async function startSandbox(): Promise<Sandbox> {
  const script = unpack(readFileSync(join(packageRoot, 'dist/course/evaluate.js')));
  const args = [...nodeFlags, '--eval', script];
  if (process.getuid?.() === 0) {
    const cell = await startCell(args);
    return { ...cell, ended: cell.exit, kill: () => void cell.stop() };
  }
  // An ordinary user's own file, on their own behalf: Node's permission model is enough.
  const child = spawn(process.execPath, args, { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<Exit>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done(signal ? { signal } : { code: code ?? 0 }));
  });
  const { stdin, stdout, stderr } = child;
  return { stdin, stdout, stderr, ended, kill: () => child.kill('SIGKILL'), remove: () => {} };
}

const nodeFlags = [
  '--permission',
  '--max-old-space-size=128',
  '--stack-trace-limit=50',
  '--disable-warning=ExperimentalWarning',
  '--input-type=module',
];

type End = Exit | 'time' | 'output';

async function collect(
  { stdout: out, stderr: err, ...sandbox }: Sandbox,
  ms: number,
): Promise<{ stdout: string; stderr: string; ended: End }> {
  let [stdout, stderr] = ['', ''];
  let cut: End | undefined;
  const kill = (why: End) => {
    cut ??= why;
    sandbox.kill();
  };
  const timer = setTimeout(() => kill('time'), ms);
  out?.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length <= MAX_ANSWER) stdout += text;
    else kill('output');
  });
  err?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length <= MAX_PRINTED) stderr += text;
    else kill('output');
  });
  try {
    // Cut off in the middle, it may have no exit status to tell.
    const ended = await sandbox.ended.catch((error: Error) => cut ?? Promise.reject(error));
    return { stdout, stderr, ended: cut ?? ended };
  } finally {
    clearTimeout(timer);
    sandbox.remove();
  }
}

/** It ended without an answer. */
function explainEnd(ended: End, stderr: string): Problem {
  if (ended === 'time') return { code: 'time', message: `no plan after ${Math.round(5 * timeScale())} s` };
  if (ended === 'output')
    return { code: 'output', message: `more than ${MAX_PRINTED} bytes printed, or ${MAX_ANSWER} of plan` };
  if (/heap out of memory|Allocation failed|out of memory/i.test(stderr))
    return { code: 'memory', message: '128 MiB' };
  // Node's own status for a module that awaits something that never comes.
  if ('code' in ended && ended.code === 13)
    return { code: 'time', message: 'it awaits something that never comes' };
  const how = 'signal' in ended ? ended.signal : `status ${ended.code}`;
  return { code: 'exit', message: `${how} ${stderr.trim().split('\n').slice(0, 3).join(' ')}`.trim() };
}
