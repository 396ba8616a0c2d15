/** What the learner has done, by lesson id, in one JSON file of theirs. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { asLearner, type Learner } from './learner.ts';
import type { Language } from './lesson.ts';

export interface LessonProgress {
  /** Where the player goes on: parts of the lesson that were done with. */
  position?: number;
  /** How many parts the lesson had then: another number means that the text has changed. */
  parts?: number;
  /** ISO dates. */
  played?: string;
  passed?: string;
  gaveUp?: string;
  attempts?: number;
  /** How many hints were asked for. */
  hints?: number;
}

export interface Progress {
  version: 1;
  language?: Language;
  lessons: Record<string, LessonProgress>;
}

export interface ProgressFile {
  readonly file: string;
  read(): Progress;
  /** Reads, changes and writes in one go, so that two tslabs lose at most one change, never the file. */
  update(change: (progress: Progress) => void): void;
  lesson(id: string, change: LessonProgress): void;
}

/** `warn` is told when the file was unreadable and has been moved aside. */
export function progressFile(who: Learner, warn: (message: string) => void, env = process.env): ProgressFile {
  const state = (!who.sudo && env.XDG_STATE_HOME) || join(who.home, '.local/state');
  const file = join(state, 'tslab/progress.json');

  const read = (): Progress => {
    if (!existsSync(file)) return { version: 1, lessons: {} };
    try {
      return parseProgress(readFileSync(file, 'utf8'));
    } catch (error) {
      const aside = unused(`${file}.unreadable`);
      renameSync(file, aside);
      warn(`${file}: ${(error as Error).message}. It is now ${aside}; progress begins anew.`);
      return { version: 1, lessons: {} };
    }
  };
  const update = (change: (progress: Progress) => void): void => {
    const progress = read();
    change(progress);
    write(file, `${JSON.stringify(progress, undefined, 2)}\n`);
  };
  return {
    file,
    read: () => asLearner(who, read),
    update: (change) => asLearner(who, () => update(change)),
    lesson: (id, change) =>
      asLearner(who, () =>
        update(({ lessons }) => {
          lessons[id] = { ...lessons[id], ...change };
        }),
      ),
  };
}

/** @throws Error if it is none. */
export function parseProgress(text: string): Progress {
  const value: unknown = JSON.parse(text);
  const progress = value as Progress;
  if (typeof value !== 'object' || value === null || progress.version !== 1 || !isTable(progress.lessons))
    throw new Error('not a progress file of this tslab (version 1)');
  return progress;
}

/** What was done on either machine is done: the earlier date, the greater number. */
export function merge(here: Progress, there: Progress): void {
  if (there.language) here.language ??= there.language;
  for (const [id, theirs] of Object.entries(there.lessons)) {
    const ours = here.lessons[id] ?? {};
    here.lessons[id] = { ...theirs, ...ours };
    for (const name of ['played', 'passed', 'gaveUp'] as const) {
      const earlier = [ours[name], theirs[name]].filter((date) => date !== undefined).sort()[0];
      if (earlier !== undefined) here.lessons[id][name] = earlier;
    }
    for (const name of ['attempts', 'hints'] as const) {
      const most = Math.max(ours[name] ?? 0, theirs[name] ?? 0);
      if (most > 0) here.lessons[id][name] = most;
    }
  }
}

function isTable(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((v) => typeof v === 'object' && v)
  );
}

/** Beside and renamed, and on the disk before the rename: a crash leaves the old file or the new one. */
export function write(file: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.new`;
  rmSync(fresh, { force: true });
  const fd = openSync(fresh, 'wx', mode);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
}

/** The first of `name`, `name.2`, `name.3` that does not exist. */
export function unused(name: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}.${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}
