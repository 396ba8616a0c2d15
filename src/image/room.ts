/** The room on disk that images and their containers take: blocks, as du(1) counts them. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LOWER_ANNOTATION } from '../oci/annotations.ts';
import { containers, folderOf } from '../runtime/containers.ts';
import { dataFolder } from '../runtime/folders.ts';
import { Store } from './store/store.ts';
import { volumes } from './volumes.ts';

export interface Room {
  readonly what: 'images' | 'layers' | 'containers' | 'volumes';
  readonly count: number;
  readonly bytes: number;
  /** What these containers would take if each had its image for itself. */
  readonly asCopies?: number;
}

export function roomTaken(): Room[] {
  const store = new Store();
  const layers = list(join(store.layers, 'sha256')).map((name) => join(store.layers, 'sha256', name));
  const sizes = new Map(layers.map((path) => [path, blocks(path)]));
  const all = containers().filter(({ id }) => list(folderOf(id).path).length > 0);
  const own = sum(all.map(({ id }) => blocks(folderOf(id).path)));
  const shared = all.flatMap(({ spec }): string[] =>
    JSON.parse(spec.annotations?.[LOWER_ANNOTATION] ?? '[]'),
  );
  return [
    { what: 'images', count: store.images().length, bytes: blocks(store.folder) },
    { what: 'layers', count: layers.length, bytes: sum([...sizes.values()]) },
    {
      what: 'containers',
      count: all.length,
      bytes: own,
      asCopies: own + sum(shared.map((path) => sizes.get(path) ?? 0)),
    },
    { what: 'volumes', count: volumes().length, bytes: blocks(join(dataFolder, 'volumes')) },
  ];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** A file of many names counts once; what may not be looked into, an ordinary user's container has for itself, counts as nothing. */
function blocks(path: string, seen = new Set<string>()): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat || seen.has(`${stat.dev}:${stat.ino}`)) return 0;
  if (stat.nlink > 1 && !stat.isDirectory()) seen.add(`${stat.dev}:${stat.ino}`);
  const below = stat.isDirectory() ? list(path).map((name) => blocks(join(path, name), seen)) : [];
  return 512 * stat.blocks + sum(below);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
