/** The options in front of the command. */
import { join } from 'node:path';
import { inUserNamespace } from '../facts/userns.ts';
import { dataFolder, useStateFolder } from '../runtime/folders.ts';

export interface GlobalFlags {
  root?: string;
  log?: string;
  logFormat: string;
  systemdCgroup?: boolean;
  cgroupManager?: string;
}

export function prepare(flags: GlobalFlags): void {
  useStateFolder(flags.root ?? defaultRoot());
}

/** Engines say it with every command; it matters to those that make a container, and is remembered. */
export const wantsSystemd = ({ systemdCgroup, cgroupManager }: GlobalFlags): boolean =>
  systemdCgroup === true || cgroupManager === 'systemd';

function defaultRoot(): string {
  if (process.geteuid?.() === 0 && !inUserNamespace()) return '/run/tslab-oci';
  // Never a name in /tmp that anyone could take, as with tslab's own (runtime/folders.ts).
  return join(process.env.XDG_RUNTIME_DIR ?? dataFolder, 'tslab-oci');
}
