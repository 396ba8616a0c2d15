/** A lesson's text: Markdown with fenced blocks that the course can play, as typed sections. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lexer, type Token, type Tokens } from 'marked';
import { parseHint, parseQuestion, parseScene, parseSource } from './blocks.ts';
import type { NeedName } from './needs.ts';
import { type Place, TextError } from './text-error.ts';

export type Language = 'en' | 'zh';

/** The rhythm of each lesson, in this order, in both languages. */
export const sectionNames = {
  predict: { en: 'Predict', zh: '预测' },
  see: { en: 'See', zh: '观察' },
  why: { en: 'Why', zh: '原理' },
  break: { en: 'Break', zh: '突破' },
  build: { en: 'Build', zh: '动手' },
  check: { en: 'Check', zh: '检查' },
  sofar: { en: 'So far', zh: '小结' },
} as const;
export type SectionKind = keyof typeof sectionNames;

export interface LessonText {
  file: string;
  language: Language;
  title: string;
  sections: Section[];
}

export interface Section {
  kind: SectionKind;
  title: string;
  parts: Part[];
}

export type Part = Markdown | Question | Scene | Hint | Source | SoFar;

export interface Markdown {
  type: 'markdown';
  text: string;
  /** Depths of the headings inside, so that both languages can be compared. */
  headings: number[];
}
export interface Question {
  type: 'question';
  text: string;
  options: { text: string; right: boolean }[];
  explanation: string;
}
export interface Hint {
  type: 'hint';
  level: number;
  text: string;
}
export interface Source {
  type: 'source';
  name: string;
  code: string;
}
export interface SoFar {
  type: 'sofar';
}
export interface Scene extends Place {
  type: 'scene';
  name: string;
  /** Wants a container that no scene used before. */
  fresh: boolean;
  /** What not every host has (needs.ts); who lacks one is shown the text alone. */
  needs: NeedName[];
  /** Flags of `tslab run`, when they differ from the lesson's usual ones. */
  run?: string;
  lines: SceneLine[];
}
export type SceneLine = { type: 'say'; text: string } | SceneCommand;
export interface SceneCommand extends Place {
  type: 'command';
  at: 'host' | 'container';
  command: string;
  /** The exit status that the text claims; undefined where any will do. */
  status: number | undefined;
  claims: Claim[];
}
export interface Claim extends Place {
  /** Whether the output has to match, or must not. */
  matches: boolean;
  pattern: RegExp;
}

/** @throws TextError naming file and line; ENOENT when there is no such text. */
export function loadLesson(folder: string, language: Language): LessonText {
  const file = join(folder, language === 'en' ? 'lesson.md' : `lesson.${language}.md`);
  return parseLesson(readFileSync(file, 'utf8'), file, language, (name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
}

/** `read` gives a file of the lesson's folder, for quoting source. */
export function parseLesson(
  markdown: string,
  file: string,
  language: Language,
  read: (name: string) => string,
): LessonText {
  const lesson: LessonText = { file, language, title: '', sections: [] };
  let line = 1;
  for (const token of lexer(markdown)) {
    add(lesson, token, { file, line }, read);
    line += token.raw.split('\n').length - 1;
  }
  const missing = Object.values(sectionNames)[lesson.sections.length];
  if (missing) throw new TextError({ file, line }, `the section "## ${missing[language]}" is missing`);
  return lesson;
}

function add(lesson: LessonText, token: Token, place: Place, read: (name: string) => string): void {
  if (token.type === 'heading' && token.depth === 1) {
    if (lesson.title) throw new TextError(place, 'a second title: a lesson has one');
    lesson.title = token.text;
    return;
  }
  if (token.type === 'heading' && token.depth === 2) {
    lesson.sections.push(openSection(lesson, token.text, place));
    return;
  }
  const section = lesson.sections.at(-1);
  if (!section) {
    if (token.type === 'space') return;
    throw new TextError(place, 'text before the first section; begin with "# title" and "## Predict"');
  }
  const part = token.type === 'code' ? block(token as Tokens.Code, place, read) : undefined;
  if (part) section.parts.push(part);
  else addMarkdown(section, token);
}

function openSection(lesson: LessonText, title: string, place: Place): Section {
  const [kind, names] = Object.entries(sectionNames)[lesson.sections.length] ?? [];
  if (!kind || !names) throw new TextError(place, `"${title}": no section follows the last one`);
  const expected = names[lesson.language];
  if (title !== expected)
    throw new TextError(place, `the section is "${title}"; here it has to be "${expected}"`);
  if (!lesson.title) throw new TextError(place, 'the title is missing: begin with "# title"');
  return { kind: kind as SectionKind, title, parts: [] };
}

/** A fenced block that the course knows; others are Markdown. */
function block(token: Tokens.Code, place: Place, read: (name: string) => string): Part | undefined {
  const [word = ''] = (token.lang ?? '').split(/\s/);
  const rest = (token.lang ?? '').slice(word.length).trim();
  if (word === 'scene') return parseScene(rest, token.text, place);
  if (word === 'question') return parseQuestion(token.text, place);
  if (word === 'hint') return parseHint(rest, token.text, place);
  if (word === 'source') return parseSource(rest, place, read);
  if (word === 'sofar') return { type: 'sofar' };
  return undefined;
}

function addMarkdown(section: Section, token: Token): void {
  let last = section.parts.at(-1);
  if (last?.type !== 'markdown') {
    if (token.type === 'space') return;
    last = { type: 'markdown', text: '', headings: [] };
    section.parts.push(last);
  }
  last.text += token.raw;
  if (token.type === 'heading') last.headings.push(token.depth);
}

/** All parts of one type, in order. */
export function partsOf<T extends Part['type']>(lesson: LessonText, type: T): Extract<Part, { type: T }>[] {
  const parts = lesson.sections.flatMap((section) => section.parts);
  return parts.filter((part): part is Extract<Part, { type: T }> => part.type === type);
}
