/** `tslab exercise` and `tslab reset`: a lesson's starter in the learner's workspace. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CatalogLesson } from './catalog.ts';
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

function starter({ folder, number }: CatalogLesson, { words }: Session): string {
  const file = join(folder, 'exercise.ts');
  if (!existsSync(file)) throw new Error(words.noExercise(String(number)));
  return readFileSync(file, 'utf8');
}
