/** What `create` and `run` have in common. */
import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  KEYRING_ANNOTATION,
  NO_CGROUP_ANNOTATION,
  NO_PIVOT_ANNOTATION,
  SYSTEMD_ANNOTATION,
} from '../oci/annotations.ts';
import { isSet } from '../oci/fields.ts';
import type { Spec } from '../oci/spec.ts';
import type { CreateOptions } from '../runtime/lifecycle.ts';
import { overlayFields } from '../steps/overlay/spec.ts';
import { type GlobalFlags, wantsSystemd } from './global.ts';
import { logWarning } from './log.ts';

export interface BirthFlags {
  bundle: string;
  config?: string;
  consoleSocket?: string;
  pidfdSocket?: string;
  pidFile?: string;
  preserveFds?: string;
  pivot: boolean;
  newKeyring: boolean;
}

export function addBirthFlags(command: Command): Command {
  return command
    .option('-b, --bundle <dir>', 'the directory with config.json', '.')
    .option('-f, --config <file>', 'default: config.json in the bundle')
    .option('--console-socket <path>', 'a unix socket that gets the terminal')
    .option('--pidfd-socket <path>', 'a unix socket that gets a descriptor of the process')
    .option('--pid-file <file>', 'the process id is written there')
    .option('--preserve-fds <n>', 'pass so many descriptors from 3 on to the program')
    .option('--no-pivot', 'chroot instead of pivot_root, for a root file system in memory')
    .option('--no-new-keyring', 'keep the session keyring')
    .option('--no-subreaper', 'accepted: the launcher goes');
}

export interface Birth {
  spec: Spec;
  options: CreateOptions;
  /** A service manager's socket, which wants to hear when the program is ready. */
  notify: string | undefined;
}

/**
 * The bundle's config, with what options and variables say of this start.
 *
 * @param listens somebody makes the folder for the program's word, and listens there.
 */
export async function birth(
  id: string,
  flags: BirthFlags,
  global: GlobalFlags,
  listens = false,
): Promise<Birth> {
  const { ConfigError, readBundle } = await import('../runtime/bundle.ts');
  const { folderStep, withNotify } = await import('../runtime/notify.ts');
  const { inherited } = await import('./inherited.ts');
  const bundle = resolve(flags.bundle);
  const asked = await configFor(id, readBundle(bundle, flags.config), flags, global);
  // runtime.md wants it for start; the one who waits for start is that very process.
  if (!asked.process) throw new ConfigError('config.json: process: is required: nobody would wait for start');
  const notify = process.env.NOTIFY_SOCKET || undefined;
  const told = notify === undefined ? asked : withNotify(id, asked);
  const { pass, steps, process: program } = inherited(told.process, flags.preserveFds);
  const options = {
    id,
    bundle,
    warn: logWarning,
    replace: await replacement(global.stages ?? (process.env.TSLAB_STAGES || undefined)),
    ...(flags.consoleSocket === undefined ? {} : { consoleSocket: resolve(flags.consoleSocket) }),
    ...(flags.pidfdSocket === undefined ? {} : { pidfdSocket: resolve(flags.pidfdSocket) }),
    pass,
    before: told === asked || listens ? [] : [folderStep(id)],
    after: steps,
  };
  return {
    spec: program ? { ...told, process: program } : told,
    options,
    notify: told === asked ? undefined : notify,
  };
}

/** Engines pass no options of ours on, but mostly their environment. */
async function replacement(folder: string | undefined): Promise<CreateOptions['replace']> {
  return folder === undefined ? undefined : (await import('../course/own-stages.ts')).ownStages(folder);
}

/** What options say of a single start goes into annotations, as everything does that stages read. */
async function configFor(id: string, read: Spec, flags: BirthFlags, global: GlobalFlags): Promise<Spec> {
  refuseLayers(read);
  const { annotations: given, ...spec } = read;
  const annotations: Record<string, string> = {
    ...given,
    ...(flags.pivot ? {} : { [NO_PIVOT_ANNOTATION]: 'true' }),
    ...(flags.newKeyring ? {} : { [KEYRING_ANNOTATION]: 'inherit' }),
  };
  // Not the config's to say, which may hold what an image says: that its path was settled on, or that it needs no cgroup.
  delete annotations[SYSTEMD_ANNOTATION];
  delete annotations[NO_CGROUP_ANNOTATION];
  if (global.cgroupManager === 'disabled') annotations[NO_CGROUP_ANNOTATION] = 'true';
  const whole: Spec = Object.keys(annotations).length === 0 ? spec : { ...spec, annotations };
  return wantsSystemd(global) ? (await import('../runtime/systemd.ts')).withScope(id, whole) : whole;
}

/**
 * Engines pass an image's own annotations on, and a folder of the host as a layer of the container would be the host's
 * whole disk to whoever made the image.
 */
function refuseLayers(spec: Spec): void {
  const field = overlayFields.find((name) => isSet(spec, name));
  if (field !== undefined)
    throw new Error(
      `config: ${field}: engines hand over a merged root; layers are for tslab run and the library`,
    );
}

/** Renamed into place: an engine that sees the file sees the whole number. */
export function writePidFile(file: string | undefined, pid: number): void {
  if (file === undefined) return;
  writeFileSync(`${file}.new`, String(pid));
  renameSync(`${file}.new`, file);
}
