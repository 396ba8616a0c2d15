/** One entry of config.json's `mounts` as steps. */
import type { Facts } from '../facts/facts.ts';
import type { Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Flag } from '../plan/flags.ts';
import { bindSteps } from './binds.ts';
import { type Attributes, attributeFlags } from './mount-options.ts';
import { type Entry, placeOf, readEntry } from './mount-target.ts';
import type { Draft } from './stage.ts';

/**
 * The steps for `spec.mounts[index]`. They stand in the config's order, whichever stage asks for them.
 *
 * @throws PlanError for options that contradict the mount, naming the field.
 */
export function mountSteps(spec: Spec, index: number, facts: Facts): Draft[] {
  const entry = readEntry(spec, index);
  const { options, mount, common } = entry;
  if (options.remount) return remount(entry);
  if (options.bind) return bindSteps(entry, spec, facts);
  if (options.copyup) throw new PlanError(`${common.field}.options: copyup is for a bind mount`);
  if (options.idmap || mount.uidMappings || mount.gidMappings)
    throw new PlanError(`${common.field}: id maps are for bind mounts (config.md, "idmap")`);
  return newFileSystem(entry, spec);
}

function newFileSystem(entry: Entry, spec: Spec): Draft[] {
  const { mount, options, target, common } = entry;
  const fstype = mount.type ?? 'none';
  const { steps, onto } = placeOf(entry);
  // A tmpfs is empty: the mount points in it have to be made before nothing can be made there any more.
  const late = fstype === 'tmpfs' && options.flags.includes('MS_RDONLY');
  const flags = late ? options.flags.filter((flag) => flag !== 'MS_RDONLY') : options.flags;
  const words = [...options.data, ...labelled(fstype, spec)];
  const data = words.length > 0 ? { data: words.join(',') } : {};
  const here = { ...common, kind: 'mount_setattr', dir: 'root', path: target } as const;
  return [
    // On a read-only rootfs it has to be there already; then the mount itself tells whether it is.
    { ...common, kind: 'mountpoint', dir: 'root', path: target, tolerate: ['EROFS'] },
    ...steps,
    ...copyUp(entry, [
      { ...common, kind: 'mount', source: mount.source ?? fstype, ...onto, fstype, flags, ...data },
    ]),
    ...changed(options.recursive).map((change) => ({ ...here, recursive: true, ...change })),
    ...propagation(entry),
    ...(late ? [afterAll(entry)] : []),
  ];
}

/** The kernel's own file systems label their files themselves (config-linux.md, "Mount Label"; mount(8), "context="). */
function labelled(fstype: string, { linux }: Spec): string[] {
  const own = ['proc', 'sysfs', 'mqueue', 'cgroup', 'cgroup2'].includes(fstype);
  return own || !linux?.mountLabel ? [] : [`context="${linux.mountLabel}"`];
}

function afterAll({ target, common: { field } }: Entry): Draft {
  const common = { at: 'child', phase: 'masks', field } as const;
  return { ...common, kind: 'mount_setattr', dir: 'root', path: target, set: ['MOUNT_ATTR_RDONLY'] };
}

/** `tmpcopyup`: what the rootfs has there, once more in the tmpfs. */
function copyUp({ mount, options, target, common }: Entry, mounting: Draft[]): Draft[] {
  if (!options.tmpcopyup) return mounting;
  if (mount.type !== 'tmpfs') throw new PlanError(`${common.field}.options: tmpcopyup is for a tmpfs`);
  const open = { ...common, kind: 'open', dir: 'root', path: target, flags: ['O_DIRECTORY'] } as const;
  const itself = !options.data.some((word) => /^(mode|uid|gid)=/.test(word));
  return [
    { ...open, as: 'below' },
    ...mounting,
    { ...open, as: 'above' },
    { ...common, kind: 'copytree', fd: 'below', into: 'above', itself },
    // A descriptor inside would keep it busy.
    { ...common, kind: 'close', fd: 'above' },
    { ...common, kind: 'close', fd: 'below' },
  ];
}

/** With `bind` only this mount's flags change, else those of the file system behind it (mount(2), MS_REMOUNT). */
function remount(entry: Entry): Draft[] {
  const { mount, options, target, common } = entry;
  const here = { ...common, kind: 'mount_setattr', dir: 'root', path: target } as const;
  const flags: Flag<'ms'>[] = ['MS_REMOUNT', ...options.flags];
  const data = options.data.length > 0 ? { data: options.data.join(',') } : {};
  const source = mount.source === undefined ? {} : { source: mount.source };
  return [
    ...(options.bind
      ? []
      : [{ ...common, kind: 'mount', ...source, dir: 'root', target, flags, ...data } as const]),
    ...changed(options.recursive).map((change) => ({ ...here, recursive: true, ...change })),
    ...(options.bind ? changed(options.own).map((change) => ({ ...here, ...change })) : []),
    ...propagation(entry),
  ];
}

function propagation({ options, target, common }: Entry): Draft[] {
  const wanted = options.propagation;
  if (!wanted) return [];
  const recursive = wanted.recursive ? { recursive: true } : {};
  return [
    { ...common, kind: 'mount_setattr', dir: 'root', path: target, ...recursive, propagation: [wanted.type] },
  ];
}

/** Nothing asked, nothing to do. */
function changed(attributes: Attributes) {
  return attributes.size > 0 ? [attributeFlags(attributes)] : [];
}
