/** Who handed in what: a folder for each learner, named after them, with a file for each lesson as in their workspace. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type CatalogLesson, catalog, findLesson } from '../catalog.ts';

export interface Handed {
  name: string;
  dir: string;
}

/**
 * The folders in `dir`; or `dir` itself, when the files of lessons lie right in it.
 *
 * @throws Error if there is none.
 */
export function submissionsIn(dir: string): Handed[] {
  const whole = resolve(dir);
  const names = readdirSync(whole, { withFileTypes: true });
  if (names.some((one) => one.isFile() && isLesson(one.name))) return [{ name: basename(whole), dir: whole }];
  const folders = names.filter((one) => one.isDirectory() && !one.name.startsWith('.'));
  if (folders.length === 0)
    throw new Error(`${dir}: no folder of a learner in it, and no file of a lesson such as pid.ts`);
  return folders
    .map(({ name }) => ({ name, dir: join(whole, name) }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** Some hand in their workspace, some the folder around it. */
export function fileFor({ dir }: Handed, lesson: CatalogLesson): string {
  const inside = join(dir, 'tslab', `${lesson.id}.ts`);
  const direct = join(dir, `${lesson.id}.ts`);
  return !existsSync(direct) && existsSync(inside) ? inside : direct;
}

const isLesson = (name: string) => catalog.some(({ id }) => name === `${id}.ts`);

/**
 * `0-3,pid,7`: numbers, ranges and ids; without it, all lessons.
 *
 * @throws Error for one that there is not.
 */
export function chosenLessons(list: string | undefined): CatalogLesson[] {
  if (list === undefined) return [...catalog];
  const chosen = new Set(list.split(',').flatMap((part) => range(part.trim())));
  return catalog.filter((lesson) => chosen.has(lesson));
}

function range(part: string): CatalogLesson[] {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(part) ?? [];
  const found = last
    ? catalog.filter(({ number }) => number >= Number(first) && number <= Number(last))
    : [findLesson(part)].filter((lesson) => lesson !== undefined);
  if (found.length > 0) return found;
  throw new Error(`--lessons: no lesson ${part}; there are ${catalog.map(({ id }) => id).join(', ')}`);
}
