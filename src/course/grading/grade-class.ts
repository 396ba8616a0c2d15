/** Marks all submissions: a process for each file, some at a time, each within its time. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import type { CatalogLesson } from '../catalog.ts';
import type { Language } from '../lesson.ts';
import { timeScale } from '../scale.ts';
import { type ClassReport, cohortOf, type LessonMark, score, submissionMark } from './report.ts';
import { fileFor, type Handed } from './submissions.ts';

export interface ClassOptions {
  lessons: CatalogLesson[];
  language: Language;
  seed?: string;
  /** Seconds for one file, on a machine of usual speed. */
  timeout: number;
  /** How many at a time. */
  jobs: number;
  signal: AbortSignal;
  /** Told as each file is done. */
  done?: (name: string, mark: LessonMark) => void;
}

export async function gradeClass(
  submissions: readonly Handed[],
  options: ClassOptions,
): Promise<ClassReport> {
  const work = submissions.flatMap((one) => options.lessons.map((lesson) => ({ one, lesson })));
  const marks = new Map<string, LessonMark>();
  const key = (one: Handed, lesson: CatalogLesson) => `${one.name}/${lesson.id}`;
  const queue = work.values();
  const worker = async () => {
    for (const { one, lesson } of queue) {
      options.signal.throwIfAborted();
      const mark = await markOf(lesson, fileFor(one, lesson), options);
      marks.set(key(one, lesson), mark);
      options.done?.(one.name, mark);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  options.signal.throwIfAborted();
  const marked = submissions.map((one) =>
    submissionMark(
      one.name,
      options.lessons.flatMap((lesson) => marks.get(key(one, lesson)) ?? []),
    ),
  );
  const lessons = options.lessons.map(({ id }) => id);
  return {
    version: 1,
    tslab: '0.1.0',
    date: new Date().toISOString(),
    machine: { kernel: release(), cpus: cpus().length },
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    lessons,
    submissions: marked,
    cohort: cohortOf(lessons, marked),
  };
}

async function markOf(lesson: CatalogLesson, file: string, options: ClassOptions): Promise<LessonMark> {
  const failed = (code: string, message: string): LessonMark => ({
    lesson: lesson.id,
    number: lesson.number,
    problem: { code, message },
    checks: [],
    ...(code === 'grader' ? { points: 0, of: 0 } : score([], true)),
  });
  if (!existsSync(file)) return failed('missing', 'nothing was handed in');
  const { language, seed, timeout, signal } = options;
  const more = seed === undefined ? [] : ['--seed', seed];
  const limit = timeout * timeScale() * 1000;
  const child = spawn(
    join(packageRoot, 'bin/tslab'),
    ['mark', '--lang', language, ...more, '--', lesson.id, file],
    // A group of its own: Ctrl-C comes to us, and we tell it, once.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const end = () => child.kill('SIGTERM'); // it puts away what it began
  const timer = setTimeout(end, limit);
  const last = setTimeout(() => child.kill('SIGKILL'), limit + 10_000);
  signal.addEventListener('abort', end);
  try {
    const [out, err, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | string>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve(code ?? signal ?? ''));
      }),
    ]);
    if (status === 0) return JSON.parse(out);
    if (child.killed) return failed('time', `not done within ${Math.round(limit / 1000)} s`);
    return failed('grader', `marking ended with ${status}: ${err.trim().split('\n').at(-1) ?? ''}`);
  } finally {
    clearTimeout(timer);
    clearTimeout(last);
    signal.removeEventListener('abort', end);
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) all += chunk;
  return all;
}
