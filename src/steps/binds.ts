/**
 * Bind mounts. A copy of the source's mount is taken by descriptor, changed while nobody can see it yet, and then put in
 * place: so there is no moment in which a read-only volume is writable, and no path that is resolved twice.
 */
import type { Facts } from '../facts/facts.ts';
import { type Mount, namespace, type Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Flag } from '../plan/flags.ts';
import { mapText } from './idmap.ts';
import { attributeFlags, type MountOptions } from './mount-options.ts';
import { type Entry, placeOf } from './mount-target.ts';
import { treePropagation } from './propagation.ts';
import type { Draft } from './stage.ts';

export function bindSteps(entry: Entry, spec: Spec, facts: Facts): Draft[] {
  const { mount, index, options, target, common } = entry;
  const senseless = [...options.data, ...options.fileSystem.filter((word) => word !== 'silent')];
  if (senseless.length > 0)
    throw new PlanError(`${common.field}.options: "${senseless[0]}" means nothing to a bind mount`);
  if (!mount.source) throw new PlanError(`${common.field}.source is missing; a bind mount shows something`);

  const onHost = takenByHost(entry, spec, facts);
  const { field } = common;
  const taking = onHost ? ({ at: 'host', phase: 'prepare', field } as const) : common;
  const as = onHost ? `mount-${index}` : 'tree';
  const { steps, onto } = placeOf(entry);
  const recursive = options.bind === 'rbind' ? { recursive: true } : {};
  return [
    { ...taking, kind: 'open_tree', path: mount.source, ...recursive, as },
    ...idMap(entry, spec),
    ...changes(entry, inherited(onHost, spec)).map(
      (change) => ({ ...taking, kind: 'mount_setattr', dir: as, path: '', ...change }) as const,
    ),
    ...(options.copyup ? copyUp(entry, as) : []),
    { ...common, kind: 'mountpoint', dir: 'root', path: target, like: as, tolerate: ['EROFS'] },
    ...steps,
    { ...common, kind: 'move_mount', fd: as, ...onto },
  ];
}

/**
 * The child takes the mounts of its own copy of the tree, whose flags are locked if it is less privileged than the host
 * (mount_namespaces(7)). The host hand has to, where the child can't reach: its user namespace may be shut out of the
 * source's directories or may not map ids, a joined namespace has another tree, and a private copy shares nothing.
 */
function takenByHost({ mount, options }: Entry, spec: Spec, facts: Facts): boolean {
  if (isMapped(mount, options)) return true;
  const elsewhere = namespace(spec, 'user') !== undefined || namespace(spec, 'mount')?.path !== undefined;
  return facts.uid === 0 && (elsewhere || options.propagation?.type === 'MS_SHARED');
}

/**
 * `copyup`: an empty volume gets what the rootfs has there, owners included, while it still can be seen. EBADF: one of
 * the two is no directory. EEXIST: somebody else fills the volume at this moment.
 */
function copyUp({ target, common }: Entry, as: string): Draft[] {
  const absent = ['ENOENT', 'ENOTDIR'] as const;
  const open = { ...common, kind: 'open', flags: ['O_DIRECTORY'], tolerate: absent } as const;
  const tolerate = ['EBADF'] as const;
  return [
    { ...open, dir: 'root', path: target, as: 'below' },
    { ...open, dir: as, path: '.', as: 'above' },
    {
      ...common,
      kind: 'copytree',
      fd: 'below',
      into: 'above',
      itself: true,
      tolerate: ['EBADF', 'EEXIST'],
    },
    { ...common, kind: 'close', fd: 'above', tolerate },
    { ...common, kind: 'close', fd: 'below', tolerate },
  ];
}

/** What the copy brings along: the host's mounts may be shared with anybody. */
const inherited = (onHost: boolean, spec: Spec) => (onHost ? undefined : treePropagation(spec));

interface Change {
  recursive?: boolean;
  set?: Flag<'attr'>[];
  clear?: Flag<'attr'>[];
  propagation?: Flag<'ms'>[];
  userns?: string;
}

/** One call for the whole tree, one for the mount itself; for a single mount the two are one. */
function changes({ mount, index, options }: Entry, brought: Flag<'ms'> | undefined): Change[] {
  const whole = options.bind === 'rbind';
  const spread = spreading(options, brought);
  const mapped = isMapped(mount, options) && { set: ['MOUNT_ATTR_IDMAP' as const], userns: `ids-${index}` };
  const all = change(attributeFlags(options.recursive), spread.all, options.idmap === 'ridmap' && mapped);
  const own = change(attributeFlags(options.own), spread.own, options.idmap !== 'ridmap' && mapped);
  if (whole) return [...all.map((one) => ({ recursive: true, ...one })), ...own];
  return change(
    attributeFlags(options.recursive, options.own),
    spread.own.length > 0 ? spread.own : spread.all,
    mapped,
  );
}

function change(
  { set, clear }: { set: Flag<'attr'>[]; clear: Flag<'attr'>[] },
  propagation: Flag<'ms'>[],
  mapped: { set: Flag<'attr'>[]; userns: string } | false,
): Change[] {
  const one: Change = {
    ...(set.length > 0 || mapped ? { set: [...set, ...(mapped ? mapped.set : [])] } : {}),
    ...(clear.length > 0 ? { clear } : {}),
    ...(propagation.length > 0 ? { propagation } : {}),
    ...(mapped ? { userns: mapped.userns } : {}),
  };
  return Object.keys(one).length > 0 ? [one] : [];
}

/** A volume is private, with all below it, unless the config says otherwise: then what isn't spoken of is as in the tree around it. */
function spreading({ propagation }: MountOptions, brought: Flag<'ms'> | undefined) {
  const { type, recursive } = propagation ?? { type: 'MS_PRIVATE', recursive: true };
  const wanted: Flag<'ms'>[] = brought === type ? [] : [type];
  if (recursive) return { all: wanted, own: [] };
  const rest: Flag<'ms'>[] = brought !== undefined || type === 'MS_SHARED' ? [] : ['MS_SLAVE'];
  return { all: rest, own: [type] };
}

const hasMaps = ({ uidMappings, gidMappings }: Mount) => Boolean(uidMappings?.length || gidMappings?.length);
const isMapped = (mount: Mount, options: MountOptions) => options.idmap !== undefined || hasMaps(mount);

/** The user namespace whose maps the mount gets: its own maps, or the container's (config.md, "idmap"). */
function idMap({ mount, index, options, common }: Entry, spec: Spec): Draft[] {
  if (!isMapped(mount, options)) return [];
  const { field } = common;
  const here = { at: 'host', phase: 'prepare', field } as const;
  const as = `ids-${index}`;
  const containers = namespace(spec, 'user');
  if (!hasMaps(mount) && containers?.path !== undefined)
    return [{ ...here, kind: 'open', path: containers.path, flags: ['O_RDONLY'], as }];
  const { uidMappings = [], gidMappings = [] } = hasMaps(mount) ? mount : (containers && spec.linux) || {};
  if (uidMappings.length === 0 || gidMappings.length === 0)
    throw new PlanError(
      `${field}: idmap takes both uidMappings and gidMappings, here or of the container's user namespace`,
    );
  return [{ ...here, kind: 'userns', uids: mapText(uidMappings), gids: mapText(gidMappings), as }];
}
