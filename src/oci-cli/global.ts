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
  if (flags.systemdCgroup || flags.cgroupManager === 'systemd')
    throw new Error(
      '--systemd-cgroup: this runtime makes its cgroups itself; tell the engine to use cgroupfs',
    );
}

function defaultRoot(): string {
  if (process.geteuid?.() === 0 && !inUserNamespace()) return '/run/tslab-oci';
  // Never a name in /tmp that anyone could take, as with tslab's own (runtime/folders.ts).
  return join(process.env.XDG_RUNTIME_DIR ?? dataFolder, 'tslab-oci');
}
