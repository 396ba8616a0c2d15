/** `tslab solution`: the runtime's own stage, and how the learner's differs from it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { structuredPatch } from 'diff';
import type { CatalogLesson } from './catalog.ts';
import { readStage } from './read-stage.ts';
import { StageProblem } from './sandbox.ts';
import type { Screen } from './screen.ts';
import type { Session } from './session.ts';
import { workspace } from './workspace.ts';

interface Options {
  giveUp?: boolean;
  workspace?: string;
}

/** It opens after a pass, or to who gives up, which is written down. Returns the exit status. */
export function showSolution(session: Session, screen: Screen, name: string, options: Options): number {
  const { words, progress } = session;
  const lesson = session.lesson(name);
  const { passed, gaveUp } = progress.read().lessons[lesson.id] ?? {};
  if (!passed && !gaveUp) {
    if (!options.giveUp) {
      console.error(words.solutionFirst(String(lesson.number)));
      return 1;
    }
    progress.lesson(lesson.id, { gaveUp: new Date().toISOString() });
  }
  const file = join(lesson.folder, 'stage.ts');
  const text = readFileSync(file, 'utf8').trimEnd();
  screen.print(`// ${file}\n// ${words.solutionNote}\n\n${text}`);
  printDiff(yours(lesson, session, options.workspace), text, session, screen);
  return 0;
}

function yours(lesson: CatalogLesson, { who }: Session, dir?: string): string | undefined {
  try {
    return readStage(workspace(who, dir).fileOf(lesson.id), who);
  } catch (error) {
    if (error instanceof StageProblem) return undefined;
    throw error;
  }
}

function printDiff(own: string | undefined, solution: string, { words }: Session, screen: Screen): void {
  if (own === undefined) return;
  const { hunks } = structuredPatch('', '', heart(own), heart(solution), '', '', { context: 2 });
  screen.print(`\n${screen.style('bold', hunks.length > 0 ? words.yoursDiffers : words.yoursSame)}\n`);
  for (const { lines } of hunks) {
    for (const line of lines) screen.print(screen.style(colours[line.charAt(0)] ?? 'dim', line));
    screen.print();
  }
}

const colours: Record<string, 'red' | 'green'> = { '-': 'red', '+': 'green' };

/** Without what has to differ between a learner's file and a module of the runtime: imports, what it owns, comments. */
const heart = (text: string): string =>
  text
    .replace(/^(import|export) [^;]*? from '[^']*';\n/gm, '')
    .replace(/^(export const owns|const \w+_ANNOTATION|export \{)[^;]*;\n/gm, '')
    .replace(/^\s*(\/\/|\/\*\*).*\n/gm, '')
    .replace(/\n{2,}/g, '\n')
    .trim()
    .concat('\n');
