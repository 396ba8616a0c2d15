/** Shows a scene: narration, each command before it runs, what it showed, and whether that is what the text says. */
import type { Ask } from './ask.ts';
import type { Language, Scene } from './lesson.ts';
import { lacking } from './needs.ts';
import { timeScale } from './scale.ts';
import type { Shown, Stage } from './scenes.ts';
import type { Screen } from './screen.ts';
import type { Words } from './words.ts';

export interface SceneReport {
  /** False when scenes can't be played here, or the learner skipped it. */
  played: boolean;
  /** Claims that held, exit statuses included. */
  claims: number;
  /** Each with its place in the text, what was expected, and what was shown. */
  failures: string[];
}

interface Options {
  scene: Scene;
  stage: Stage;
  screen: Screen;
  words: Words;
  language: Language;
  ask: Ask | undefined;
  /** Rejects when the learner aborts. */
  guard: <T>(work: Promise<T>) => Promise<T>;
}

export async function playScene({
  scene,
  stage,
  screen,
  words,
  language,
  ask,
  guard,
}: Options): Promise<SceneReport> {
  const report: SceneReport = { played: process.getuid?.() === 0, claims: 0, failures: [] };
  const lack = report.played ? lacking(scene) : undefined;
  const plays = report.played && !lack;
  if (lack) screen.item('skip', lack[language]);
  let asking = ask !== undefined && plays;
  for await (const { line, run } of stage.play(scene)) {
    if (line.type === 'say') {
      screen.print();
      screen.item('none', screen.style('italic', line.text));
      continue;
    }
    screen.command(line.at, words[line.at], line.command);
    if (asking) {
      const key = await ask?.key(words.commandKeys, 'as');
      if (key === 's') return { ...report, played: false };
      if (key === 'a') asking = false;
    }
    if (!plays) continue;
    const shown = await guard(run()).catch((error: Error) => failedToRun(error));
    if (shown instanceof Error) {
      screen.item('fail', shown.message);
      report.failures.push(`${line.file}:${line.line}: ${shown.message}`);
      return report;
    }
    screen.output(line.at, shown.output);
    report.claims += line.claims.length + (line.status === undefined ? 0 : 1);
    const complaints = explain(shown, words);
    if (complaints.length === 0) screen.item('pass', screen.style('dim', words.holds));
    else screen.item('fail', [words.broken, ...complaints].join('\n'));
    if (complaints.length > 0) report.failures.push(failure(shown, complaints, words));
  }
  return report;
}

/** Quit goes up; what could not be started is a claim that did not hold. */
function failedToRun(error: Error): Error {
  if (error.message === 'quit') throw error;
  return error;
}

/** Why it is not what the text says. */
export function explain({ line, status, broken, over, holds }: Shown, words: Words): string[] {
  if (holds) return [];
  if (over === 'time') return [words.overTime(Math.round(20 * timeScale()))];
  const statuses =
    line.status === undefined || line.status === status ? [] : [words.expectedStatus(line.status, status)];
  const claims = broken.map(({ matches, pattern }) =>
    matches ? words.expectedMatch(pattern.source) : words.expectedNoMatch(pattern.source),
  );
  return [...statuses, ...claims];
}

/** For a list after the lesson: the place, the command, what was expected and the beginning of what was shown. */
export function failure({ line, output }: Shown, complaints: string[], words: Words): string {
  const shown = (output || words.nothing).split('\n').slice(0, 8);
  const head = `${line.file}:${line.line}: ${words[line.at]}$ ${line.command}`;
  return [
    head,
    ...complaints.map((text) => `  ${text}`),
    `  ${words.shown}:`,
    ...shown.map((text) => `    ${text}`),
  ].join('\n');
}
