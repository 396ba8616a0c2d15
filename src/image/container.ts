/** What an image says about a container made of it (image-spec, config.md and conversion.md), and what was asked instead. Pure. */
import {
  IMAGE_ANNOTATION,
  INIT_LAYER_ANNOTATION,
  LOWER_ANNOTATION,
  MAP_ROOTFS_ANNOTATION,
  STOP_SIGNAL_ANNOTATION,
  UPPER_ANNOTATION,
  WORK_ANNOTATION,
} from '../oci/annotations.ts';
import { namespace, type Spec } from '../oci/spec.ts';
import { mergeEnv } from './env.ts';
import { insidePath } from './layer-files.ts';
import type { ContainerConfig, Image } from './types.ts';
import type { User } from './users.ts';

export interface Asked {
  /** The words after the image's name. */
  readonly command: readonly string[];
  /** Instead of the image's; `''` for none. */
  readonly entrypoint?: string;
  /** `NAME=value`; later ones win over earlier ones, and over the image's. */
  readonly env: readonly string[];
  readonly workdir?: string;
}

/** @throws Error if neither names a program. */
export function argsOf(config: ContainerConfig, asked: Asked, name: string): string[] {
  const { command, entrypoint } = asked;
  const first = entrypoint === undefined ? (config.Entrypoint ?? []) : entrypoint === '' ? [] : [entrypoint];
  // Cmd is what the image's own entrypoint is given; another program would not know what to do with it.
  const rest = command.length > 0 || entrypoint !== undefined ? command : (config.Cmd ?? []);
  const args = [...first, ...rest];
  if (args.length > 0) return args;
  throw new Error(`image ${name}: it names no program; say which: tslab run ${name} COMMAND`);
}

export interface Folders {
  /** Unpacked, the lowest first. */
  readonly layers: readonly string[];
  readonly init: string;
  readonly upper: string;
  readonly work: string;
}

/**
 * Changes the config of a container that has the flags' wishes already.
 *
 * @param folders undefined for one whose root.path is a copy of all layers.
 */
export function applyImage(
  spec: Spec,
  image: Image,
  folders: Folders | undefined,
  asked: Asked,
  user: User | undefined,
): void {
  const { config = {} } = image.config;
  const { process } = spec;
  if (process) {
    const home = `HOME=${user?.home ?? (user && user.uid !== 0 ? '/' : '/root')}`;
    process.env = mergeEnv(process.env ?? [], [home], config.Env ?? [], asked.env);
    process.cwd = insidePath(asked.workdir ?? config.WorkingDir ?? '/');
    const groups = [...(user?.additionalGids ?? []), ...(process.user?.additionalGids ?? [])];
    if (user)
      process.user = {
        uid: user.uid,
        gid: user.gid,
        ...(groups.length > 0 ? { additionalGids: groups } : {}),
      };
  }
  spec.annotations = {
    ...labels(config),
    ...(config.StopSignal ? { [STOP_SIGNAL_ANNOTATION]: config.StopSignal } : {}),
    ...spec.annotations,
    [IMAGE_ANNOTATION]: image.name ?? image.descriptor.digest,
    ...(folders ? layered(spec, folders) : {}),
  };
}

function layered(spec: Spec, { layers, init, upper, work }: Folders): Record<string, string> {
  return {
    [LOWER_ANNOTATION]: JSON.stringify([...layers, init]),
    [UPPER_ANNOTATION]: upper,
    [WORK_ANNOTATION]: work,
    [INIT_LAYER_ANNOTATION]: init,
    // Root's layers belong to plain numbers; an ordinary user's to their own ids already.
    ...(globalThis.process.geteuid?.() === 0 && namespace(spec, 'user')
      ? { [MAP_ROOTFS_ANNOTATION]: 'true' }
      : {}),
  };
}

/** Labels are the image's word about itself; those that this runtime obeys are for its user alone to say. */
function labels({ Labels = {} }: ContainerConfig): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Labels).filter(([key]) => key !== '' && !key.startsWith('org.tslab.')),
  );
}

/** Paths of the image's volumes that no mount is asked for. */
export function anonymousVolumes({ Volumes = {} }: ContainerConfig, spec: Spec): string[] {
  const taken = new Set(spec.mounts?.map(({ destination }) => insidePath(destination)));
  return [...new Set(Object.keys(Volumes).map(insidePath))].filter(
    (path) => path !== '/' && !taken.has(path),
  );
}
