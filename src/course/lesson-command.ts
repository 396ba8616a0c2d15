/** `tslab lesson` and the menu of plain `tslab`. */
import { Quit, terminalAsk } from './ask.ts';
import { type CatalogLesson, catalog, loadTexts } from './catalog.ts';
import { interruptible } from './interrupt.ts';
import { printList, state } from './list.ts';
import { playLesson } from './player.ts';
import { screen } from './screen.ts';
import { openSession, type Session } from './session.ts';
import { columns } from './wrap.ts';

export interface LessonOptions {
  auto?: boolean;
  plain?: boolean;
  restart?: boolean;
  lang?: string;
}

/** Returns the exit status. Without a name, the learner chooses; without a terminal, the list is printed. */
export async function lessonCommand(name: string | undefined, options: LessonOptions): Promise<number> {
  const session = openSession(options);
  const interactive = !options.auto && process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (name !== undefined) return play(session.lesson(name), session, options, interactive);
  if (!interactive) {
    printList(session, screen(options));
    return 0;
  }
  const chosen = await menu(session);
  return chosen instanceof Quit ? chosen.status : play(chosen, session, options, true);
}

async function play(
  lesson: CatalogLesson,
  session: Session,
  options: LessonOptions,
  interactive: boolean,
): Promise<number> {
  const unread = new AbortController();
  const stop = () => unread.abort();
  process.stdout.on('error', stop); // nobody reads on: `tslab lesson 3 | head`
  const ask = interactive ? await terminalAsk() : undefined;
  try {
    return await interruptible((signal) =>
      playLesson({
        lesson,
        texts: loadTexts(lesson),
        language: session.language,
        screen: screen(options),
        ask,
        progress: interactive ? session.progress : undefined,
        restart: options.restart === true,
        signal: AbortSignal.any([signal, unread.signal]),
      }),
    );
  } finally {
    process.stdout.off('error', stop);
  }
}

/** Begins on the first lesson that is not passed. */
async function menu({ progress, language, words }: Session): Promise<CatalogLesson | Quit> {
  const { lessons } = progress.read();
  const ask = await terminalAsk();
  const choices = catalog.map((lesson) => {
    const title = loadTexts(lesson)[language].title;
    const gap = ' '.repeat(Math.max(1, 46 - columns(title)));
    return {
      name: `${String(lesson.number).padStart(2)}  ${title}${gap}${state(lessons[lesson.id], words)}`,
      value: lesson as CatalogLesson | Quit,
    };
  });
  const preset = catalog.find(({ id }) => !lessons[id]?.passed);
  try {
    return await ask.menu(words.menu, [...choices, { name: words.quit, value: new Quit(0) }], preset);
  } catch (error) {
    if (error instanceof Quit) return error;
    throw error;
  }
}
