/** What `create` and `run` have in common. */
import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { KEYRING_ANNOTATION, NO_PIVOT_ANNOTATION, SYSTEMD_ANNOTATION } from '../oci/annotations.ts';
import { isSet } from '../oci/fields.ts';
import type { Spec } from '../oci/spec.ts';
import { readBundle } from '../runtime/bundle.ts';
import type { CreateOptions } from '../runtime/lifecycle.ts';
import { withScope } from '../runtime/systemd.ts';
import { overlayFields } from '../steps/overlay/spec.ts';
import { type GlobalFlags, wantsSystemd } from './global.ts';

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

export function birthOptions(id: string, flags: BirthFlags): CreateOptions {
  return {
    id,
    bundle: resolve(flags.bundle),
    warn: (text) => console.error(`tslab-oci: ${text}`),
    ...(flags.consoleSocket === undefined ? {} : { consoleSocket: resolve(flags.consoleSocket) }),
    ...(flags.pidfdSocket === undefined ? {} : { pidfdSocket: resolve(flags.pidfdSocket) }),
  };
}

/** The bundle's config; what options say of a single start goes into annotations, as everything does that stages read. */
export function configFor(id: string, flags: BirthFlags, global: GlobalFlags): Spec {
  const config = readBundle(resolve(flags.bundle), flags.config);
  refuseLayers(config);
  const { annotations: given, ...spec } = config;
  const annotations: Record<string, string> = {
    ...given,
    ...(flags.pivot ? {} : { [NO_PIVOT_ANNOTATION]: 'true' }),
    ...(flags.newKeyring ? {} : { [KEYRING_ANNOTATION]: 'inherit' }),
  };
  // Not the config's to say: its cgroupsPath would be taken for one that was settled on.
  delete annotations[SYSTEMD_ANNOTATION];
  const whole: Spec = Object.keys(annotations).length === 0 ? spec : { ...spec, annotations };
  return wantsSystemd(global) ? withScope(id, whole) : whole;
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
