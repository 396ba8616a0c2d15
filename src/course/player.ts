/** Plays a lesson in a terminal: step by step with a learner, or all through by itself. */
import { inUserNamespace } from '../facts/userns.ts';
import type { Ask } from './ask.ts';
import { Quit } from './ask.ts';
import type { CatalogLesson } from './catalog.ts';
import { orAborted } from './interrupt.ts';
import type { Language, LessonText, Part, Question, Scene, Section } from './lesson.ts';
import { partsOf } from './lesson.ts';
import { playScene, type SceneReport } from './play-scene.ts';
import type { ProgressFile } from './progress.ts';
import { Stage } from './scenes.ts';
import type { Screen } from './screen.ts';
import { printSoFar } from './sofar.ts';
import { words as allWords, type Words } from './words.ts';

export interface PlayOptions {
  lesson: CatalogLesson;
  texts: Record<Language, LessonText>;
  language: Language;
  screen: Screen;
  /** Undefined: nobody to ask, so play through. */
  ask: Ask | undefined;
  progress: ProgressFile | undefined;
  restart: boolean;
  /** Aborted by Ctrl-C and the like, when no question is open. */
  signal: AbortSignal;
}

interface Place {
  section: Section;
  first: boolean;
  last: boolean;
  part: Part | undefined;
}

/** Returns the exit status: 0 if everything was shown as the text claims. */
export async function playLesson(options: PlayOptions): Promise<number> {
  const player = new Player(options);
  try {
    return await player.play();
  } catch (error) {
    if (!(error instanceof Quit)) throw error;
    if (error.status === 0) options.screen.print(player.words.stoppedAt);
    return error.status;
  } finally {
    await player.stage.close();
  }
}

class Player {
  readonly stage: Stage;
  readonly #options: PlayOptions;
  readonly #reports: SceneReport[] = [];
  #language: Language;

  constructor(options: PlayOptions) {
    this.#options = options;
    this.#language = options.language;
    this.stage = new Stage(options.lesson.id);
  }

  get words(): Words {
    return allWords[this.#language];
  }

  async play(): Promise<number> {
    const { screen, lesson, ask, progress, texts } = this.#options;
    screen.heading(`${lesson.number} · ${texts[this.#language].title}`);
    if (process.getuid?.() !== 0) screen.item('skip', `${this.words.needsRoot} ${lesson.number}`);
    if (inUserNamespace()) screen.item('none', this.words.ownHost);
    const parts = places(texts[this.#language]).length;
    const begin = ask ? await this.#resume(parts) : 0;
    for (let i = begin; i < parts; i++) {
      const place = places(texts[this.#language])[i];
      if (place) await this.#show(place, i === begin, `${i + 1}/${parts}`);
      progress?.lesson(lesson.id, { position: i + 1, parts });
    }
    progress?.lesson(lesson.id, { position: 0, parts, played: new Date().toISOString() });
    return this.#summary();
  }

  /** Where to begin; scenes before it are played unseen, as later ones stand on what they made. */
  async #resume(parts: number): Promise<number> {
    const { screen, lesson, progress, restart, texts } = this.#options;
    const { position = 0, parts: before } = progress?.read().lessons[lesson.id] ?? {};
    if (restart || position === 0) return 0;
    if (before !== parts) {
      screen.print(this.words.textChanged);
      return 0;
    }
    screen.print(this.words.resuming(position + 1, parts));
    const scenes = places(texts.en)
      .slice(0, position)
      .flatMap(({ part }) => (part?.type === 'scene' ? [part] : []));
    if (scenes.length > 0 && process.getuid?.() === 0) {
      screen.print(this.words.replaying(scenes.length));
      for (const scene of scenes)
        for await (const { line, run } of this.stage.play(scene))
          if (line.type === 'command') await this.#orAbort(run());
    }
    return position;
  }

  async #show({ section, first, last, part }: Place, begin: boolean, where: string): Promise<void> {
    const { screen, texts } = this.#options;
    if (first || begin) screen.heading(section.title, where);
    if (part?.type === 'markdown') screen.markdown(part.text);
    else if (part?.type === 'question') await this.#question(part);
    else if (part?.type === 'scene') await this.#scene(part);
    else if (part?.type === 'source') this.#source(part.name, part.code);
    else if (part?.type === 'sofar')
      await this.#orAbort(printSoFar(this.#options.lesson, this.#language, screen));
    screen.print();
    if (!last) return;
    const hints = partsOf(texts[this.#language], 'hint').length;
    if (section.kind === 'build' && hints > 0)
      screen.print(`${this.words.hintsThere(hints, this.#options.lesson.number)}\n`);
    if (section.kind !== 'sofar') await this.#pause();
  }

  async #pause(): Promise<void> {
    const { ask } = this.#options;
    if (!ask) return;
    const other = this.#language === 'en' ? 'zh' : 'en';
    const key = await ask.key(`${this.words.continueKeys} · l: ${other === 'zh' ? '中文' : 'English'}`, 'l');
    if (key === 'l') this.#language = other;
  }

  async #question(question: Question): Promise<void> {
    const { screen, ask } = this.#options;
    const right = question.options.findIndex((option) => option.right);
    screen.markdown(question.text);
    screen.print();
    if (ask) {
      const chosen = await ask.choose(
        this.words.yourAnswer,
        question.options.map((option) => option.text),
      );
      if (chosen === right) screen.item('pass', this.words.right);
      else
        screen.item(
          'fail',
          `${this.words.wrong} ${this.words.theAnswer(question.options[right]?.text ?? '')}`,
        );
    } else {
      for (const option of question.options) screen.item('none', `( ) ${option.text}`);
      screen.item('pass', this.words.theAnswer(question.options[right]?.text ?? ''));
    }
    screen.print();
    screen.markdown(question.explanation);
  }

  async #scene(scene: Scene): Promise<void> {
    const { ask, screen } = this.#options;
    const play = playScene({
      scene,
      stage: this.stage,
      screen,
      words: this.words,
      language: this.#language,
      ask,
      guard: (work) => this.#orAbort(work),
    });
    this.#reports.push(await play);
  }

  #source(name: string, code: string): void {
    const { screen, lesson } = this.#options;
    screen.print(screen.style('dim', `    lessons/${lesson.folderName}/${name.replace('#', ' · ')}`));
    screen.code(code);
  }

  /** What is at work when Ctrl-C comes is left alone; closing the stage ends it. */
  async #orAbort<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#options;
    return await orAborted(work, signal).catch((error) => {
      throw signal.aborted && error === signal.reason ? new Quit(130) : error;
    });
  }

  #summary(): number {
    const { screen, ask, lesson } = this.#options;
    const failures = this.#reports.flatMap((report) => report.failures);
    const unplayed = this.#reports.filter((report) => !report.played).length;
    if (failures.length > 0) {
      screen.item('fail', this.words.failures(failures.length));
      for (const failure of failures) screen.item('none', failure);
    }
    if (ask) screen.print(this.words.nextExercise(String(lesson.number)));
    else if (unplayed > 0) screen.item('fail', `${this.words.notPlayed} ${lesson.number}`);
    else if (failures.length === 0) {
      const claims = this.#reports.reduce((sum, report) => sum + report.claims, 0);
      screen.item('pass', this.words.played_all(this.#reports.length, claims));
    }
    return failures.length > 0 || (!ask && unplayed > 0) ? 1 : 0;
  }
}

function places(text: LessonText): Place[] {
  return text.sections.flatMap((section) => {
    const shown: (Part | undefined)[] = section.parts.filter((part) => part.type !== 'hint');
    if (shown.length === 0) shown.push(undefined);
    return shown.map((part, i) => ({ section, part, first: i === 0, last: i === shown.length - 1 }));
  });
}
