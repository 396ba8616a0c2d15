/** `tslab hint`. */
import { loadTexts } from './catalog.ts';
import { partsOf } from './lesson.ts';
import type { Screen } from './screen.ts';
import type { Session } from './session.ts';

/** The level asked for, or the one after the last that was shown. */
export function showHint(session: Session, screen: Screen, name: string, level?: string): void {
  const { words, progress, language } = session;
  const lesson = session.lesson(name);
  const hints = partsOf(loadTexts(lesson)[language], 'hint');
  if (hints.length === 0) throw new Error(words.noHints(name));
  const seen = progress.read().lessons[lesson.id]?.hints ?? 0;
  if (level !== undefined && !hints.some((hint) => String(hint.level) === level))
    throw new Error(`hint ${level}: 1 … ${hints.length}`);
  const wanted = level === undefined ? Math.min(seen + 1, hints.length) : Number(level);
  screen.heading(words.hint(wanted, hints.length));
  screen.markdown(hints[wanted - 1]?.text ?? '');
  screen.print();
  const number = String(lesson.number);
  screen.print(screen.style('dim', wanted < hints.length ? words.moreHints(number) : words.lastHint(number)));
  progress.lesson(lesson.id, { hints: Math.max(seen, wanted) });
}
