/** "So far": what the runtime built up to a lesson isolates, read off a living container, and what the lesson added to the plan. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { diffArrays } from 'diff';
import { LOWER_ANNOTATION, UPPER_ANNOTATION, WORK_ANNOTATION } from '../oci/annotations.ts';
import { defaultSpec } from '../oci/default.ts';
import type { NamespaceType, Spec } from '../oci/spec.ts';
import { explainCall } from '../plan/explain.ts';
import { giveToNamespace } from '../runtime/owners.ts';
import { copyRootfs } from '../runtime/rootfs.ts';
import { start } from '../runtime/run.ts';
import { spareMaps } from '../runtime/spare-ids.ts';
import { type CatalogLesson, catalog } from './catalog.ts';
import { stagesFor } from './course-folder.ts';
import { isolation, type Row } from './isolation.ts';
import type { Language } from './lesson.ts';
import { needs } from './needs.ts';
import { ownFolder, removeFolder } from './rootfs.ts';
import type { Screen } from './screen.ts';
import { words as allWords } from './words.ts';
import { columns, wrap } from './wrap.ts';

interface SoFar {
  rows: Row[];
  /** A line for each step, strace-like. */
  plan: string[];
}

export async function printSoFar(lesson: CatalogLesson, language: Language, screen: Screen): Promise<void> {
  const words = allWords[language];
  if (process.getuid?.() !== 0) {
    screen.item('skip', words.sofarNoRoot);
    return;
  }
  const before = catalog.filter(({ number }) => number < lesson.number).at(-1);
  const folder = ownFolder();
  try {
    const rootfs = copyRootfs(join(folder, 'rootfs'));
    const now = await look(lesson.id, rootfs);
    screen.print(`${words.sofarTitle(String(lesson.number))}\n`);
    printTable(now.rows, language, screen);
    if (!before) return;
    const { plan } = await look(before.id, rootfs);
    screen.print(`\n${words.sofarDiff(String(before.number))}\n`);
    printDiff(plan, now.plan, screen);
  } finally {
    removeFolder(folder);
  }
}

/** Starts a container as of a lesson, looks at it from outside, and ends it. */
async function look(id: string, rootfs: string): Promise<SoFar> {
  const spec = withShackles(defaultSpec({ args: ['sleep', '60'], rootfs, lesson: id }), id);
  giveToNamespace(rootfs, spec);
  const container = await start(spec, { stages: stagesFor(id), stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    const plan = container.plan.steps.map((step) => `${step.at.padEnd(5)} ${explainCall(step)}`);
    return {
      rows: isolation(container.pid),
      plan: plan.map((line) => line.replaceAll(rootfs, 'ROOTFS').replaceAll(container.id, 'NAME')),
    };
  } finally {
    await container.stop();
  }
}

/** What these lessons built and a config has to ask for: `tslab run` does so by --userns and --boottime. */
function withShackles(spec: Spec, id: string): Spec {
  const has = (lesson: string) => stagesFor(id).some((stage) => stage.id === lesson);
  if (has('user')) spec.linux = { ...asking(spec, 'user'), ...ids() };
  if (has('time') && existsSync('/proc/self/ns/time'))
    spec.linux = { ...asking(spec, 'time'), timeOffsets: { boottime: { secs: 10 * 86_400 } } };
  if (has('overlay') && needs.layers.met()) standOnLayers(spec);
  return spec;
}

/** The root folder's files become the one layer of an image. */
function standOnLayers(spec: Spec): void {
  const { path = '/' } = spec.root ?? {};
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((name) => `${path}-${name}`) as [
    string,
    string,
    string,
  ];
  for (const folder of [upper, work, merged]) {
    mkdirSync(folder, { recursive: true });
    giveToNamespace(folder, spec);
  }
  spec.root = { ...spec.root, path: merged };
  spec.annotations = {
    ...spec.annotations,
    [LOWER_ANNOTATION]: JSON.stringify([path]),
    [UPPER_ANNOTATION]: upper,
    [WORK_ANNOTATION]: work,
  };
}

const asking = ({ linux }: Spec, type: NamespaceType) => ({
  ...linux,
  namespaces: [...(linux?.namespaces ?? []), { type }],
});

/** An ordinary user without a range has one id to map: their own, which is 0 in their own namespace. */
function ids() {
  const own = [{ containerID: 0, hostID: 0, size: 1 }];
  return needs.ids.met() ? spareMaps() : { uidMappings: own, gidMappings: own };
}

const WIDTHS = [18, 14, 22];

function printTable(rows: readonly Row[], language: Language, screen: Screen): void {
  const words = allWords[language];
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => pad(cell, WIDTHS[i] ?? 0))
      .join('')
      .trimEnd();
  screen.print(screen.style('dim', `  ${line([words.whatItSees, '', words.inside, words.outside])}`));
  for (const { what, own, whose: said, inside, outside } of rows) {
    const whose = said?.[language] ?? (own ? words.isolated : words.shared);
    const cells = line([what[language], whose, shorten(inside[language]), shorten(outside[language])]);
    screen.item(own ? 'pass' : 'none', screen.style(own ? 'reset' : 'dim', cells));
  }
}

/** What came and went. A step that only moved is neither. */
function printDiff(before: string[], now: string[], screen: Screen): void {
  for (const { added, removed, value } of diffArrays(before, now)) {
    if (!added && !removed) continue;
    for (const text of value.filter((line) => !before.includes(line) || !now.includes(line))) {
      const wrapped = wrap(`${added ? '+' : '-'} ${text}`, screen.width, '          ');
      screen.print(screen.style(added ? 'green' : 'red', wrapped));
    }
  }
}

const pad = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - columns(text)));
/** The end of a path says more than its beginning. */
const shorten = (text: string, width = 20) => (text.length <= width ? text : `…${text.slice(1 - width)}`);
