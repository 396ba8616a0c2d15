/** The lessons by number and id, with their folders. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { lessons } from '../../lessons/index.ts';
import { packageRoot } from '../package-root.ts';
import { furtherLessons } from './course-folder.ts';
import { type Language, type LessonText, loadLesson } from './lesson.ts';

export interface CatalogLesson {
  number: number;
  id: string;
  folder: string;
  folderName: string;
}

/** Those that have a text, and the instructor's: a stage alone is not a lesson yet. */
export const catalog: readonly CatalogLesson[] = [
  ...lessons
    .map(({ number, id, folder }) => {
      const path = join(packageRoot, 'lessons', basename(folder));
      return { number, id, folder: path, folderName: basename(folder) };
    })
    .filter(({ folder }) => existsSync(join(folder, 'lesson.md'))),
  ...furtherLessons().map((lesson) => ({ ...lesson, folderName: basename(lesson.folder) })),
].sort((a, b) => a.number - b.number);

/** By number or id. */
export function findLesson(name: string): CatalogLesson | undefined {
  return catalog.find(({ number, id, folderName }) => [String(number), id, folderName].includes(name));
}

export function loadTexts({ folder }: CatalogLesson): Record<Language, LessonText> {
  const en = loadLesson(folder, 'en');
  return { en, zh: existsSync(join(folder, 'lesson.zh.md')) ? loadLesson(folder, 'zh') : en };
}

export function titles(lesson: CatalogLesson): Record<Language, string> {
  const { en, zh } = loadTexts(lesson);
  return { en: en.title, zh: zh.title };
}
