/** `tslab dev check`: what a lesson claims about itself, proved. A line for each item; exit status 0 only if all hold. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CatalogLesson, catalog, findLesson } from './catalog.ts';
import { checksOf } from './checks-of.ts';
import { type Grade, grade } from './grade.ts';
import { belongings, leftSince } from './leftovers.ts';
import { type LessonText, loadLesson, partsOf } from './lesson.ts';
import { lacking } from './needs.ts';
import { explain, failure } from './play-scene.ts';
import { differences } from './same-texts.ts';
import { Stage } from './scenes.ts';
import { words } from './words.ts';

/** Empty: it holds. Otherwise what is wrong, a line or more each. */
type Proof = (lesson: CatalogLesson) => string[] | Promise<string[]>;

const items: Record<string, Proof> = {
  texts: bothTexts,
  hints: threeHints,
  starter: starterFails,
  reference: referencePasses,
  scenes: scenesHold,
};

export async function devCheck(names: readonly string[]): Promise<number> {
  const chosen = names.length === 0 ? [...catalog] : names.map(byName);
  let wrong = 0;
  const tell = (lesson: CatalogLesson, item: string, complaints: string[], ms: number) => {
    const sign = complaints.length === 0 ? '✔' : '✘';
    console.log(`${sign} ${lesson.folderName.padEnd(16)} ${item.padEnd(10)} ${(ms / 1000).toFixed(1)} s`);
    for (const complaint of complaints) console.log(complaint.replace(/^/gm, '    '));
    wrong += complaints.length === 0 ? 0 : 1;
  };
  for (const lesson of chosen) {
    const before = belongings();
    for (const [item, proof] of Object.entries(items)) {
      const begun = performance.now();
      const complaints = await Promise.resolve()
        .then(() => proof(lesson))
        .catch((error: Error) => [
          error.name === 'TextError'
            ? error.message
            : (error.stack ?? error.message).split('\n').slice(0, 3).join('\n'),
        ]);
      tell(lesson, item, complaints, performance.now() - begun);
    }
    const begun = performance.now();
    tell(lesson, 'leftovers', await leftSince(before), performance.now() - begun);
  }
  console.log(wrong === 0 ? `${chosen.length} lessons are whole` : `${wrong} items do not hold`);
  return wrong === 0 && chosen.length > 0 ? 0 : 1;
}

function byName(name: string): CatalogLesson {
  const lesson = findLesson(name);
  if (!lesson) throw new Error(`no lesson "${name}"`);
  return lesson;
}

/** Both are there, parse (source regions included), and are the same lesson. */
function bothTexts({ folder }: CatalogLesson): string[] {
  return differences(loadLesson(folder, 'en'), loadLesson(folder, 'zh'));
}

function threeHints({ folder }: CatalogLesson): string[] {
  return (['en', 'zh'] as const).flatMap((language) => {
    const text = loadLesson(folder, language);
    const build = text.sections.find((section) => section.kind === 'build')?.parts ?? [];
    const levels = build.flatMap((part) => (part.type === 'hint' ? [part.level] : []));
    return levels.join() === '1,2,3'
      ? []
      : [`${text.file}: hints of Build are ${levels.join(', ') || 'missing'}; they have to be 1, 2, 3`];
  });
}

/** At least one check fails; a plan that lacks its heart may also be no plan at all. All else would be a broken file. */
async function starterFails(lesson: CatalogLesson): Promise<string[]> {
  const file = join(lesson.folder, 'exercise.ts');
  if (!existsSync(file)) return [`${file}: no such file`];
  const source = readFileSync(file, 'utf8');
  if (!source.includes('TODO')) return [`${file}: no TODO in it`];
  const result = await grade(lesson, await checksOf(lesson), { file, source });
  // Without its heart it may be no plan at all: nobody is cloned, say.
  if (result.problem?.code === 'plan') return [];
  if (result.problem)
    return [`${file}: it has to give a plan, but: ${result.problem.line ?? ''} ${result.problem.message}`];
  const failed = result.checks.filter(({ outcome }) => outcome.outcome === 'fail');
  if (failed.length === 0 && !allSkipped(result))
    return [...broken(result), 'no check fails: the exercise asks for nothing'];
  return broken(result);
}

/** The text of stage.ts itself goes the learner's way: a solution that can't be handed in is none. */
async function referencePasses(lesson: CatalogLesson): Promise<string[]> {
  const file = join(lesson.folder, 'stage.ts');
  const result = await grade(lesson, await checksOf(lesson), { file, source: readFileSync(file, 'utf8') });
  if (result.problem) return [`${file}: ${result.problem.line ?? ''} ${result.problem.message}`];
  const failed = result.checks.flatMap(({ check, outcome }) =>
    outcome.outcome === 'fail'
      ? [`${check.id}: expected ${outcome.expected.en}\nshown: ${outcome.shown}`]
      : [],
  );
  const passed = result.checks.some(({ outcome }) => outcome.outcome === 'pass');
  const proved = passed || allSkipped(result);
  return [...broken(result), ...failed, ...(proved ? [] : ['no check passes: nothing is proved'])];
}

/** This host can show nothing of the lesson, such as time namespaces where the kernel has none; the checks say so. */
const allSkipped = ({ checks }: Grade): boolean =>
  checks.length > 0 && checks.every(({ outcome }) => outcome.outcome === 'skip');

function broken({ checks }: Grade): string[] {
  return checks.flatMap(({ check, outcome }) =>
    outcome.outcome === 'error' ? [`${check.id}: ${outcome.reason}`] : [],
  );
}

/** Once: that both languages have the same scenes is the first item. */
async function scenesHold(lesson: CatalogLesson): Promise<string[]> {
  const text: LessonText = loadLesson(lesson.folder, 'en');
  const stage = new Stage(lesson.id);
  const complaints: string[] = [];
  try {
    for (const scene of partsOf(text, 'scene').filter((scene) => !lacking(scene))) {
      for await (const { line, run } of stage.play(scene)) {
        if (line.type === 'say') continue;
        const shown = await run();
        if (!shown.holds) complaints.push(failure(shown, explain(shown, words.en), words.en));
      }
    }
  } finally {
    await stage.close();
  }
  return complaints;
}
