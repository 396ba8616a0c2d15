/**
 * Evaluates a learner's file without trusting it. The file's text, not the file, goes to a Node process that may
 * touch nothing: no files, no network, no other process, nobody's ids, little memory, little time. All that
 * comes back is JSON, which validateDrafts then judges.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isMappedHere } from '../facts/userns.ts';
import { packageRoot } from '../package-root.ts';
import type { Learner } from './learner.ts';
import { timeScale } from './scale.ts';

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

const MAX_FILE = 256 * 1024;
const MAX_ANSWER = 4 * 1024 * 1024;
const MAX_PRINTED = 256 * 1024;
const NOBODY = 65534;

/**
 * The text of a learner's file. Root reads here what somebody else wrote, so: no symlink, no hard link to a file
 * of others, no device, of the learner or of whom the folder belongs to.
 *
 * @throws StageProblem
 */
export function readStage(file: string, who: Learner): string {
  const refuse = (message: string, code: Problem['code'] = 'file') =>
    new StageProblem(file, { code, message });
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw refuse('no such file', 'missing');
    throw refuse(code === 'ELOOP' ? 'is a symbolic link; it has to be a file' : (error as Error).message);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw refuse('is not a regular file');
    if (stat.nlink !== 1) throw refuse('has other names (hard links); copy it');
    if (stat.uid !== who.uid && stat.uid !== statSync(dirname(file)).uid)
      throw refuse(`belongs to uid ${stat.uid}, not to ${who.name}`);
    if (stat.size > MAX_FILE) throw refuse(`has ${stat.size} bytes; ${MAX_FILE} at most`);
    const bytes = Buffer.alloc(MAX_FILE);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, MAX_FILE, 0));
  } finally {
    closeSync(fd);
  }
}

/** @throws StageProblem for everything that a stage can do wrong before it has returned something. */
export async function evaluate(
  file: string,
  source: string,
  spec: unknown,
  facts: unknown,
): Promise<Evaluation> {
  const nonce = randomBytes(16).toString('hex');
  const child = startSandbox();
  const result = collect(child, 5000 * timeScale());
  child.stdin?.on('error', () => {}); // it may have ended before it read
  child.stdin?.end(JSON.stringify({ nonce, name: basename(file), source, spec, facts }));
  const { stdout, stderr, ended } = await result;

  const at = stdout.indexOf(nonce);
  if (at < 0) throw new StageProblem(file, explainEnd(ended, stderr));
  const answer = JSON.parse(stdout.slice(at + nonce.length)) as {
    problem?: Problem;
    drafts?: { value?: unknown };
  };
  if (answer.problem) throw new StageProblem(file, answer.problem);
  return { drafts: answer.drafts?.value, printed: stderr };
}

/**
 * The program comes as an argument and Node itself as an open descriptor: nobody need not be able to reach where
 * tslab lies, often a home, and the process gets no right to read a single file.
 */
function startSandbox(): ChildProcess {
  const script = readFileSync(join(packageRoot, 'dist/course/evaluate.js'), 'utf8');
  const node = openSync(process.execPath, 'r');
  try {
    return spawn(
      '/bin/sh',
      ['-c', `${limits()}; exec ${confined()} "$@"`, 'sh', ...nodeFlags, '--eval', script],
      {
        cwd: '/',
        env: {},
        detached: true, // a process group of its own, to be killed whole
        stdio: ['pipe', 'pipe', 'pipe', node],
      },
    );
  } finally {
    closeSync(node);
  }
}

const nodeFlags = [
  '--permission',
  '--max-old-space-size=128',
  '--stack-trace-limit=50',
  '--disable-warning=ExperimentalWarning',
  '--input-type=module',
];

/** -d counts what is written to, unlike -v, which V8's reservations exceed at once (setrlimit(2), RLIMIT_DATA). */
const limits = (): string =>
  `ulimit -c 0; ulimit -f 0; ulimit -n 64; ulimit -d 1048576; ulimit -t ${Math.ceil(10 * timeScale())}`;

/**
 * What Node's permission model does not cover: no network to be reached, and nobody else to be signalled, as other
 * processes of nobody's could be.
 */
const confined = (): string =>
  process.getuid?.() === 0
    ? `unshare --net --ipc --pid --fork --kill-child=KILL -- setpriv ${asNobody()} ` +
      '--no-new-privs --inh-caps=-all --bounding-set=-all -- /proc/self/fd/3'
    : '/proc/self/fd/3';

/** Root of the learner's own namespace may have nobody in it: then it is the learner, who has no powers left. */
const asNobody = (): string =>
  isMappedHere(NOBODY) ? `--reuid=${NOBODY} --regid=${NOBODY} --clear-groups` : '';

type End = { code: number | null; signal: string | null } | 'time' | 'output' | Error;

async function collect(
  child: ChildProcess,
  ms: number,
): Promise<{ stdout: string; stderr: string; ended: End }> {
  let [stdout, stderr] = ['', ''];
  let cut: End | undefined;
  const kill = (why: End) => {
    cut ??= why;
    try {
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  };
  const timer = setTimeout(() => kill('time'), ms);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.length > MAX_ANSWER) kill('output');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (stderr.length > MAX_PRINTED) kill('output');
  });
  const ended = await new Promise<End>((done) => {
    child.once('error', done);
    child.once('close', (code, signal) => done({ code, signal }));
  });
  clearTimeout(timer);
  return { stdout, stderr, ended: cut ?? ended };
}

/** It ended without an answer. */
function explainEnd(ended: End, stderr: string): Problem {
  if (ended instanceof Error) throw ended;
  if (ended === 'time') return { code: 'time', message: `no plan after ${Math.round(5 * timeScale())} s` };
  if (ended === 'output')
    return { code: 'output', message: `more than ${MAX_PRINTED} bytes printed, or ${MAX_ANSWER} of plan` };
  if (/heap out of memory|Allocation failed|out of memory/i.test(stderr))
    return { code: 'memory', message: '128 MiB' };
  // Node's own status for a module that awaits something that never comes.
  if (ended.code === 13) return { code: 'time', message: 'it awaits something that never comes' };
  const how = ended.signal ?? `status ${ended.code}`;
  return { code: 'exit', message: `${how} ${stderr.trim().split('\n').slice(0, 3).join(' ')}`.trim() };
}
