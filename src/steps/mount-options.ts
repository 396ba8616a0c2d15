/** The option words of config.json's mounts (config.md, "Linux mount options"; mount(8)), sorted by who in the kernel hears them. */
import type { Flag } from '../plan/flags.ts';

/** Attributes of a mount, on or off; absent: as they are. Those of access times exclude each other and share the key `atime`. */
export type Attributes = ReadonlyMap<Flag<'attr'> | 'atime', boolean | Flag<'attr'>>;

export interface MountOptions {
  bind: 'bind' | 'rbind' | undefined;
  remount: boolean;
  /** What mount(2) takes for a new file system: attributes of the mount and of the file system together. */
  flags: Flag<'ms'>[];
  /** Attributes of the mount itself… */
  own: Attributes;
  /** …and those that all mounts below it get as well: the words that begin with r. */
  recursive: Attributes;
  propagation: { type: Flag<'ms'>; recursive: boolean } | undefined;
  idmap: 'idmap' | 'ridmap' | undefined;
  tmpcopyup: boolean;
  /** A bind mount's source is first given what the rootfs has in its place. */
  copyup: boolean;
  /** Words that only the file system itself understands… */
  data: string[];
  /** …and those of mount(2) that change the file system: a bind mount can't, as others look at it, too. */
  fileSystem: string[];
}

/** A word, its opposite, and what it is called by mount(2) and by mount_setattr(2). Each has a recursive twin, `rnosuid`. */
const attributes: readonly (readonly [string, string, Flag<'ms'>, Flag<'attr'>])[] = [
  ['ro', 'rw', 'MS_RDONLY', 'MOUNT_ATTR_RDONLY'],
  ['nosuid', 'suid', 'MS_NOSUID', 'MOUNT_ATTR_NOSUID'],
  ['nodev', 'dev', 'MS_NODEV', 'MOUNT_ATTR_NODEV'],
  ['noexec', 'exec', 'MS_NOEXEC', 'MOUNT_ATTR_NOEXEC'],
  ['nosymfollow', 'symfollow', 'MS_NOSYMFOLLOW', 'MOUNT_ATTR_NOSYMFOLLOW'],
  ['nodiratime', 'diratime', 'MS_NODIRATIME', 'MOUNT_ATTR_NODIRATIME'],
  ['noatime', 'atime', 'MS_NOATIME', 'MOUNT_ATTR_NOATIME'],
  ['relatime', 'norelatime', 'MS_RELATIME', 'MOUNT_ATTR_RELATIME'],
  ['strictatime', 'nostrictatime', 'MS_STRICTATIME', 'MOUNT_ATTR_STRICTATIME'],
];
const atimes: readonly Flag<'attr'>[] = [
  'MOUNT_ATTR_NOATIME',
  'MOUNT_ATTR_RELATIME',
  'MOUNT_ATTR_STRICTATIME',
];

const ofFileSystem: readonly (readonly [string, string | undefined, Flag<'ms'>])[] = [
  ['sync', 'async', 'MS_SYNCHRONOUS'],
  ['dirsync', undefined, 'MS_DIRSYNC'],
  ['mand', 'nomand', 'MS_MANDLOCK'],
  ['lazytime', 'nolazytime', 'MS_LAZYTIME'],
  ['iversion', 'noiversion', 'MS_I_VERSION'],
  ['silent', 'loud', 'MS_SILENT'],
];

const propagations: Readonly<Record<string, Flag<'ms'>>> = {
  private: 'MS_PRIVATE',
  slave: 'MS_SLAVE',
  shared: 'MS_SHARED',
  unbindable: 'MS_UNBINDABLE',
};

/** Later words win over earlier ones, as with mount(8). */
export function parseMountOptions(words: readonly string[]): MountOptions {
  const own = new Map<Flag<'attr'> | 'atime', boolean | Flag<'attr'>>();
  const recursive = new Map(own);
  const fileSystem = new Map<Flag<'ms'>, string>();
  const options: Omit<MountOptions, 'flags' | 'own' | 'recursive' | 'fileSystem'> = {
    bind: undefined,
    remount: false,
    propagation: undefined,
    idmap: undefined,
    tmpcopyup: false,
    copyup: false,
    data: [],
  };
  for (const word of words) {
    const known = attributeWords.get(word);
    const kernels = fileSystemWords.get(word);
    const type = propagations[word] ?? propagations[word.replace(/^r/, '')];
    if (known) setAttribute(known, own, recursive);
    else if (kernels?.on) fileSystem.set(kernels.flag, word);
    else if (kernels) fileSystem.delete(kernels.flag);
    else if (type) options.propagation = { type, recursive: !propagations[word] };
    else if (word === 'bind' || word === 'rbind') options.bind = word;
    else if (word === 'idmap' || word === 'ridmap') options.idmap = word;
    else if (word === 'remount') options.remount = true;
    else if (word === 'tmpcopyup') options.tmpcopyup = true;
    else if (word === 'copyup') options.copyup = true;
    else if (word !== 'defaults') options.data.push(word);
  }
  const mountFlags = attributes.filter(([, , , attr]) => own.get(attr) === true || own.get('atime') === attr);
  const flags = [...mountFlags.map(([, , flag]) => flag), ...fileSystem.keys()];
  return { ...options, own, recursive, flags, fileSystem: [...fileSystem.values()] };
}

/** What mount_setattr(2) has to set and to clear: only what was asked, so that flags which are locked stay alone. */
export function attributeFlags(...maps: readonly Attributes[]): {
  set: Flag<'attr'>[];
  clear: Flag<'attr'>[];
} {
  const entries = [...new Map(maps.flatMap((map) => [...map]))];
  const set = entries.flatMap(([attr, value]) => (value === true ? [attr] : value === false ? [] : [value]));
  const clear = entries.flatMap(([attr, value]) =>
    attr === 'atime' ? ['MOUNT_ATTR__ATIME' as const] : value === false ? [attr] : [],
  );
  return { set: set as Flag<'attr'>[], clear: clear as Flag<'attr'>[] };
}

interface AttributeWord {
  attr: Flag<'attr'>;
  on: boolean;
  recursive: boolean;
}

const attributeWords: ReadonlyMap<string, AttributeWord> = new Map(
  attributes.flatMap(([on, off, , attr]) =>
    [false, true].flatMap((recursive): [string, AttributeWord][] => [
      [recursive ? `r${on}` : on, { attr, on: true, recursive }],
      [recursive ? `r${off}` : off, { attr, on: false, recursive }],
    ]),
  ),
);

const fileSystemWords: ReadonlyMap<string, { flag: Flag<'ms'>; on: boolean }> = new Map(
  ofFileSystem.flatMap(([on, off, flag]): [string, { flag: Flag<'ms'>; on: boolean }][] => [
    [on, { flag, on: true }],
    ...(off === undefined ? [] : [[off, { flag, on: false }] as [string, { flag: Flag<'ms'>; on: boolean }]]),
  ]),
);

type Changing = Map<Flag<'attr'> | 'atime', boolean | Flag<'attr'>>;

function setAttribute({ attr, on, recursive }: AttributeWord, own: Changing, all: Changing): void {
  const atime = atimes.includes(attr);
  const key = atime ? 'atime' : attr;
  // Not to have one of the access-time settings means to have the kernel's default (mount(8), "relatime").
  const value = atime ? (on ? attr : 'MOUNT_ATTR_RELATIME') : on;
  if (recursive) {
    all.set(key, value);
    own.delete(key);
  }
  // `rw` is said of nearly every volume. It takes an earlier `ro` back; it doesn't open what the host keeps read-only.
  else if (attr === 'MOUNT_ATTR_RDONLY' && !on && !all.has(key)) own.delete(key);
  else own.set(key, value);
}

/** Every word that is understood here; a file system may know more. */
export const mountOptionWords = (): string[] =>
  [
    ...attributeWords.keys(),
    ...fileSystemWords.keys(),
    ...Object.keys(propagations).flatMap((word) => [word, `r${word}`]),
    ...['bind', 'rbind', 'idmap', 'ridmap', 'remount', 'tmpcopyup', 'copyup', 'defaults'],
  ].sort();
