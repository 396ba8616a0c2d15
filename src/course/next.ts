/** The next thing to do: read the lesson, write its exercise, have it checked, and so on. */
import { catalog, titles } from './catalog.ts';
import type { Session } from './session.ts';

export function nextStep({ progress, words, language }: Session): string {
  const { lessons } = progress.read();
  const lesson = catalog.find(({ id }) => !lessons[id]?.passed);
  if (!lesson) return words.allDone;
  const title = `${lesson.number} · ${titles(lesson)[language]}`;
  const step = lessons[lesson.id]?.played
    ? words.nextExercise(String(lesson.number))
    : words.next(String(lesson.number));
  return `${title}\n${step}`;
}
