/** Named volumes: folders that outlive the containers that use them. */
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Mount, namespace, type Spec } from '../oci/spec.ts';
import { dataFolder } from '../runtime/folders.ts';

const parent = join(dataFolder, 'volumes');

/** One letter is a name like any other; a path has a slash, or is . or .. */
export const isVolumeName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(text);

/** @throws Error if it could not be a volume's name. */
export function volumeFolder(name: string): string {
  if (isVolumeName(name)) return join(parent, name);
  throw new Error(`volume ${JSON.stringify(name)}: it takes letters, digits, _ . -, 128 at most`);
}

/** The name behind a mount's source, if it is a volume. */
export const volumeOf = ({ source }: Mount): string | undefined =>
  source?.startsWith(`${parent}/`) ? source.slice(parent.length + 1).split('/')[0] : undefined;

/**
 * The mount of a volume. What the root file system has there goes into one that is empty, as long as that may be written.
 */
export function volumeMount(source: string, destination: string, words: readonly string[]): Mount {
  const fill = !words.includes('ro') && isEmpty(source) ? ['copyup'] : [];
  return { type: 'bind', source, destination, options: ['rbind', ...words, ...fill] };
}

const isEmpty = (folder: string) => !existsSync(folder) || readdirSync(folder).length === 0;

/** A volume holds plain numbers, whatever ids its containers have on the host. */
export const withPlainIds = (mount: Mount, spec: Spec): Mount =>
  process.geteuid?.() === 0 && namespace(spec, 'user')
    ? { ...mount, options: [...(mount.options ?? []), 'idmap'] }
    : mount;

/** Those of a config, once it is known whose ids it has. */
export function mapVolumes(spec: Spec): void {
  if (!spec.mounts?.some(volumeOf)) return;
  spec.mounts = spec.mounts.map((mount) => (volumeOf(mount) ? withPlainIds(mount, spec) : mount));
}

/** Those of a config that are not there yet. */
export function makeVolumes({ mounts = [] }: Spec): void {
  for (const name of mounts.flatMap((mount) => volumeOf(mount) ?? [])) makeVolume(name);
}

/** @returns its folder. */
export function makeVolume(name: string): string {
  const folder = volumeFolder(name);
  // Nobody else passes: a container's root may leave set-user-ID programs there.
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

export interface Volume {
  readonly name: string;
  readonly folder: string;
  /** ISO 8601. */
  readonly created: string;
}

export function volumes(): Volume[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter(isVolumeName)
    .map((name) => ({
      name,
      folder: join(parent, name),
      created: statSync(join(parent, name)).birthtime.toISOString(),
    }));
}
