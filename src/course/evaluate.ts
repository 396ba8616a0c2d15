/**
 * Evaluates a learner's stage: runs alone in a short-lived process that has no rights (sandbox.ts starts it), takes
 * everything on standard input and answers in one line on standard output.
 */

import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { Writable } from 'node:stream';
import { Script } from 'node:vm';
import type { Problem } from './sandbox.ts';
import * as library from './stage-library.ts';

interface Request {
  /** Goes before the answer, so that nothing else on standard output is taken for it. */
  nonce: string;
  name: string;
  source: string;
  spec: unknown;
  facts: unknown;
}

const libraryUrl = 'tslab:';
/** Learners write 'tslab'; the lessons' own stages, which go this way when they are checked, name the files themselves. */
const librarySpecifier = /^tslab$|^\.\.\/\.\.\/src\//;
/** A module made of what is in memory here: nothing is read over there. */
const librarySource = Object.keys(library)
  .map((name) => `export const ${name} = globalThis.tslab.${name};`)
  .join('\n');

/** Thrown for what a stage may not do; `problem` says what kind of thing it was. */
class Refused extends Error {
  readonly problem: Problem['code'];
  constructor(problem: Problem['code'], message: string) {
    super(message);
    this.problem = problem;
  }
}

const request: Request = JSON.parse(await readAll());
// What learners print is for them to see, never part of the answer.
// At once and in order: a stage that prints for ever must not fill our memory with what waits to be written.
const stderr = new Writable({ write: (chunk: Buffer, _encoding, done) => done(void writeAll(chunk)) });
globalThis.console = new Console(stderr, stderr);
const { stringify } = JSON;
const exit: (code: number) => never = process.exit;
const url = `learner:${request.name}`;
/** Without its types, which were replaced by blanks: lines and columns stay what they were. */
let source = '';

process.on('uncaughtException', (error) => answer({ problem: describe(error) }));
process.exit = ((code?: number) => {
  throw new Refused('exit', `process.exit(${code ?? ''})`);
}) as typeof process.exit;

try {
  const stage = await load();
  if (typeof stage !== 'function') throw new Refused('export', typeof stage);
  const value: unknown = (stage as (spec: unknown, facts: unknown) => unknown)(request.spec, request.facts);
  if (value instanceof Promise) {
    value.catch(() => {});
    throw new Refused('nonsense', 'a promise (is it async?)');
  }
  // A moment for what the stage began by the way: a refused connection shows here.
  await new Promise((done) => setImmediate(done));
  answer({ drafts: { value } });
} catch (error) {
  answer({ problem: describe(error) });
}

async function load(): Promise<unknown> {
  source = stripTypeScriptTypes(request.source, { mode: 'strip' });
  registerHooks({
    resolve(specifier) {
      if (specifier === url) return { url, shortCircuit: true };
      if (librarySpecifier.test(specifier)) return { url: libraryUrl, shortCircuit: true };
      throw new Refused('import', specifier);
    },
    load: (target) => ({
      format: 'module',
      source: target === url ? source : librarySource,
      shortCircuit: true,
    }),
  });
  Object.assign(globalThis, { tslab: library });
  const module = (await import(url)) as { default?: unknown };
  return module.default;
}

/** Ends the process: what a stage may have left running ends with it. */
function answer(value: object): never {
  let text: string;
  try {
    text = stringify(value);
  } catch (error) {
    text = stringify({
      problem: { code: 'nonsense', message: String((error as Error).message) } satisfies Problem,
    });
  }
  const bytes = Buffer.from(`${request.nonce}${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  exit(0);
}

function describe(error: unknown): Problem {
  const { code, message, permission, resource } = (error ?? {}) as Partial<Record<string, string>>;
  const text = error instanceof Error ? `${error.name}: ${message}` : String(error);
  if (error instanceof Refused) {
    const line = error.problem === 'import' ? lineOf(error.message) : undefined;
    return { code: error.problem, message: error.message, ...(line ? { line } : where(error)) };
  }
  if (code === 'ERR_ACCESS_DENIED')
    return {
      code: 'denied',
      message: [permission, resource].filter(Boolean).join(' ') || text,
      ...where(error),
    };
  if (code === 'ERR_INVALID_TYPESCRIPT_SYNTAX' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    // The stack begins with ":LINE", the line and a row of carets below what is wrong.
    const [, line, carets] = /^:(\d+)\n(?:[\s\S]*?\n)??( *\^)/.exec((error as Error).stack ?? '') ?? [];
    return {
      code: 'syntax',
      message: message ?? '',
      ...(line ? { line: Number(line) } : {}),
      ...(carets ? { column: carets.length } : {}),
    };
  }
  if (error instanceof SyntaxError && !(error.stack ?? '').includes(url))
    return { code: 'syntax', message: text, ...lineOfSyntaxError(error.message) };
  return { code: 'throws', message: text, ...where(error) };
}

/** V8 tells a script's line, but not a module's: so compile it once more, without its imports and exports. */
function lineOfSyntaxError(message: string): { line?: number } {
  const blank = (text: string) => text.replace(/[^\n]/g, ' ');
  const script = source.replace(/^import\b[^;]*;|^export (default )?/gm, blank);
  try {
    new Script(`(async () => {${script}\n})`, { filename: url });
  } catch (error) {
    const [, line] = new RegExp(`^${url}:(\\d+)`).exec((error as Error).stack ?? '') ?? [];
    if (line && (error as Error).message === message) return { line: Number(line) };
  }
  return {};
}

/** The place in the learner's file that the stack names first. */
function where(error: unknown): { line?: number; column?: number } {
  const stack = String((error as Error | undefined)?.stack ?? '');
  const at = stack.indexOf(url);
  const [, line, column] =
    (at < 0 ? undefined : /^:(\d+)(?::(\d+))?/.exec(stack.slice(at + url.length))) ?? [];
  return { ...(line ? { line: Number(line) } : {}), ...(column ? { column: Number(column) } : {}) };
}

function lineOf(specifier: string): number {
  return (
    request.source
      .split('\n')
      .findIndex((line) => /\b(import|from|require)\b/.test(line) && line.includes(specifier)) + 1
  );
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The pipe may be full and not blocking. An error would break the stream, and what is printed then pile up in memory. */
function writeAll(chunk: Buffer): void {
  for (let offset = 0; offset < chunk.length; ) {
    try {
      offset += writeSync(2, chunk, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
