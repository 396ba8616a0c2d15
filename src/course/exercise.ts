/** `tslab exercise` and `tslab reset`: a lesson's starter in the learner's workspace. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CatalogLesson, catalog } from './catalog.ts';
import { asLearner } from './learner.ts';
import type { Session } from './session.ts';
import { workspace } from './workspace.ts';

/** Both return what to say. */
export function beginExercise(session: Session, name: string, dir?: string): string {
  const { words, who } = session;
  const lesson = session.lesson(name);
  const folder = workspace(who, dir);
  const file = folder.fileOf(lesson.id);
  const written = folder.begin(lesson.id, starter(lesson, session));
  return written
    ? `${words.exerciseWritten(file)}\n${words.openIt(String(lesson.number))}`
    : words.exerciseKept(file, String(lesson.number));
}

export function resetExercise(session: Session, name: string, dir?: string): string {
  const { words, who } = session;
  const lesson = session.lesson(name);
  const folder = workspace(who, dir);
  const file = folder.fileOf(lesson.id);
  const backup = folder.reset(lesson.id, starter(lesson, session));
  return backup ? words.resetDone(file, backup) : words.exerciseWritten(file);
}

/** All that were begun. */
export function resetAll(session: Session, dir?: string): string {
  const folder = workspace(session.who, dir);
  const begun = catalog.filter(({ id }) => asLearner(session.who, () => existsSync(folder.fileOf(id))));
  if (begun.length === 0) throw new Error(session.words.noneBegun(folder.dir));
  return begun.map(({ id }) => resetExercise(session, id, dir)).join('\n');
}

function starter({ folder, number }: CatalogLesson, { words }: Session): string {
  const file = join(folder, 'exercise.ts');
  if (!existsSync(file)) throw new Error(words.noExercise(String(number)));
  return readFileSync(file, 'utf8');
}
