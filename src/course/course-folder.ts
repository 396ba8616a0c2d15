/**
 * An instructor's own lessons and checks: a folder that is laid out as lessons/ is, named by `--course` or TSLAB_COURSE. Its code
 * is the instructor's and runs with tslab's own rights, as that of lessons/ does; a learner's never does.
 */
import { existsSync, readdirSync } from 'node:fs';
import module from 'node:module';
import { join, resolve } from 'node:path';
import { lessons, stages, stagesUpTo } from '../../lessons/index.ts';
import type { Stage, StageFunction } from '../steps/stage.ts';
import type { Check } from './check.ts';

const VARIABLE = 'TSLAB_COURSE';

/** Said once, before the catalog is asked for; what we start hears it from the environment. */
export function useCourse(dir: string): void {
  if (!existsSync(dir)) throw new Error(`--course ${dir}: no such folder`);
  process.env[VARIABLE] = resolve(dir);
}

export interface FurtherLesson {
  number: number;
  id: string;
  folder: string;
}

/** Folders such as 16-swap. @throws Error if one takes the number or the name of another lesson. */
export function furtherLessons(): FurtherLesson[] {
  const dir = process.env[VARIABLE];
  const names = dir ? readdirSync(dir).sort() : [];
  const found = names.flatMap((name) => {
    const [, number, id] = /^(\d+)-([a-z][a-z0-9-]*)$/.exec(name) ?? [];
    const folder = join(dir ?? '', name);
    return id && existsSync(join(folder, 'lesson.md')) ? [{ number: Number(number), id, folder }] : [];
  });
  for (const { number, id, folder } of found) {
    const same = lessons.find((lesson) => lesson.number === number || lesson.id === id);
    if (same)
      throw new Error(`${folder}: lesson ${same.number} ${same.id} is tslab's own; take a higher number`);
  }
  return found;
}

/** The runtime as a learner has it after that lesson; a further one's stage comes after all of tslab's own. */
export function stagesFor(id: string): readonly Stage[] {
  const further = furtherLessons().find((lesson) => lesson.id === id);
  if (!further) return stagesUpTo(id);
  const file = join(further.folder, 'stage.ts');
  if (!existsSync(file)) return stages;
  const { default: plan, owns = [] } = load<{ default: StageFunction; owns?: string[] }>(file);
  return [...stages, { id, owns, plan }];
}

/** Of a further lesson; or those that the instructor adds to one of tslab's own, in a folder of the same name. */
export function furtherChecks(folderName: string): readonly Check[] {
  const file = join(process.env[VARIABLE] ?? '', folderName, 'checks.ts');
  return process.env[VARIABLE] && existsSync(file) ? load<{ checks: Check[] }>(file).checks : [];
}

/** Node runs TypeScript as it is, and takes modules at once where none waits for anything (nodejs.org, "require(esm)"). */
const load = <T>(file: string): T => module.createRequire(file)(file) as T;
