/** The table of contents, with what the learner has done. */
import { catalog, titles } from './catalog.ts';
import type { LessonProgress } from './progress.ts';
import type { Screen } from './screen.ts';
import type { Session } from './session.ts';
import type { Words } from './words.ts';
import { columns } from './wrap.ts';

export function printList({ progress, language, words }: Session, screen: Screen): void {
  const { lessons } = progress.read();
  for (const lesson of catalog) {
    const title = titles(lesson)[language];
    const done = lessons[lesson.id];
    const gap = ' '.repeat(Math.max(1, 44 - columns(title)));
    const name = `${String(lesson.number).padStart(2)}  ${screen.style('cyan', lesson.id.padEnd(12))}`;
    screen.item(
      done?.passed ? 'pass' : 'none',
      `${name} ${title}${gap}${screen.style('dim', state(done, words))}`.trimEnd(),
    );
  }
}

export function state(done: LessonProgress | undefined, words: Words): string {
  if (done?.passed) return words.done;
  if (done?.position && done.parts) return `${words.begun} ${done.position}/${done.parts}`;
  return done?.played ? words.played : '';
}
