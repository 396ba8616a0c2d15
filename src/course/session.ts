/** What each command of the course begins with: who learns, in which language, what they have done. */
import { type CatalogLesson, catalog, findLesson, titles } from './catalog.ts';
import { type Learner, learner } from './learner.ts';
import type { Language } from './lesson.ts';
import { type ProgressFile, progressFile } from './progress.ts';
import { chooseLanguage, type Words, words } from './words.ts';

export interface Session {
  who: Learner;
  progress: ProgressFile;
  language: Language;
  words: Words;
  /** @throws Error with the list of lessons. */
  lesson(name: string): CatalogLesson;
}

export interface CommonOptions {
  lang?: string;
}

export function openSession({ lang }: CommonOptions): Session {
  const who = learner();
  const progress = progressFile(who, (message) => console.error(`tslab: ${message}`));
  const language = chooseLanguage(lang, progress.read().language);
  return {
    who,
    progress,
    language,
    words: words[language],
    lesson(name) {
      const found = findLesson(name);
      if (found) return found;
      const list = catalog.map(
        (lesson) => `  ${lesson.number}  ${lesson.id.padEnd(12)} ${titles(lesson)[language]}`,
      );
      throw new Error(words[language].noSuchLesson(name, list.join('\n')));
    },
  };
}
