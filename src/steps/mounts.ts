/** One entry of config.json's `mounts` as steps. Targets are resolved inside the rootfs by the launcher, never here. */
import { isAbsolute } from 'node:path';
import type { Facts } from '../facts/facts.ts';
import type { Mount } from '../oci/spec.ts';
import type { Flag } from '../plan/flags.ts';
import { parseMountOptions } from './mount-options.ts';
import type { Draft } from './stage.ts';

/** @param field path of the entry in config.json, such as `mounts[2]`. */
export function mountSteps(mount: Mount, field: string, facts: Facts): Draft[] {
  const { flags, propagation, data } = parseMountOptions(mount.options ?? []);
  const bind = flags.includes('MS_BIND') || mount.type === 'bind';
  const target = isAbsolute(mount.destination) ? mount.destination : `/${mount.destination}`;
  const common = { at: 'child', phase: 'mounts', field } as const;
  const here = { ...common, kind: 'mount', dir: 'root', target } as const;

  return [
    ...mountPoint(bind && facts.sources[mount.source ?? ''] === 'file', target, common),
    bind ? bindStep(mount, flags, here) : newFileSystem(mount, flags, data, here),
    ...(bind ? rebindStep(flags, here) : []),
    ...(propagation.length > 0 ? [{ ...here, flags: propagation }] : []),
  ];
}

type Common = { readonly at: 'child'; readonly phase: 'mounts'; readonly field: string };
type Here = Common & { readonly kind: 'mount'; readonly dir: 'root'; readonly target: string };

/** mount(2) wants a directory to mount a directory on, a file for a file. */
function mountPoint(file: boolean, target: string, common: Common): Draft[] {
  const parent = target.slice(0, Math.max(target.lastIndexOf('/'), 1));
  const directory = { ...common, kind: 'mkdir', dir: 'root', mode: 0o755, parents: true } as const;
  // On a read-only rootfs the mount point has to be there already; then the mount itself tells whether it is.
  if (!file) return [{ ...directory, path: target, tolerate: ['EROFS'] }];
  return [
    ...(parent === '/' ? [] : [{ ...directory, path: parent, tolerate: ['EROFS'] } as const]),
    {
      ...common,
      kind: 'open',
      dir: 'root',
      path: target,
      flags: ['O_CREAT', 'O_NOFOLLOW'],
      mode: 0o644,
      tolerate: ['EROFS'],
    },
  ];
}

function newFileSystem(mount: Mount, flags: Flag<'ms'>[], data: string, here: Here): Draft {
  const fstype = mount.type ?? 'none';
  return { ...here, source: mount.source ?? fstype, fstype, flags, ...(data === '' ? {} : { data }) };
}

/** A relative source would mean the asker's working directory; whoever builds the config makes it absolute. */
function bindStep(mount: Mount, flags: Flag<'ms'>[], here: Here): Draft {
  const recursive: Flag<'ms'>[] = flags.includes('MS_REC') ? ['MS_REC'] : [];
  return { ...here, source: mount.source ?? '', flags: ['MS_BIND', ...recursive] };
}

/** MS_BIND ignores the other flags; they need a second call (mount(2), "Creating a bind mount"). */
function rebindStep(flags: Flag<'ms'>[], here: Here): Draft[] {
  const others = flags.filter((flag) => flag !== 'MS_BIND' && flag !== 'MS_REC');
  return others.length === 0 ? [] : [{ ...here, flags: ['MS_REMOUNT', 'MS_BIND', ...others] }];
}
