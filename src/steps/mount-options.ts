/** The option words of config.json's mounts (config.md, "Linux mount options"; mount(8)) as mount(2) takes them. */
import type { Flag } from '../plan/flags.ts';

export interface MountOptions {
  /** Flags of the mount itself. */
  flags: Flag<'ms'>[];
  /** Propagation has to be set by a call of its own (mount(2), "Changing the propagation type"). */
  propagation: Flag<'ms'>[];
  /** What is left, for the file system to read. */
  data: string;
}

const set: Readonly<Record<string, readonly Flag<'ms'>[]>> = {
  ro: ['MS_RDONLY'],
  nosuid: ['MS_NOSUID'],
  nodev: ['MS_NODEV'],
  noexec: ['MS_NOEXEC'],
  sync: ['MS_SYNCHRONOUS'],
  dirsync: ['MS_DIRSYNC'],
  mand: ['MS_MANDLOCK'],
  noatime: ['MS_NOATIME'],
  nodiratime: ['MS_NODIRATIME'],
  relatime: ['MS_RELATIME'],
  strictatime: ['MS_STRICTATIME'],
  lazytime: ['MS_LAZYTIME'],
  silent: ['MS_SILENT'],
  nosymfollow: ['MS_NOSYMFOLLOW'],
  remount: ['MS_REMOUNT'],
  bind: ['MS_BIND'],
  rbind: ['MS_BIND', 'MS_REC'],
};

/** Words that take a flag back which an earlier word set. */
const clear: Readonly<Record<string, Flag<'ms'>>> = {
  rw: 'MS_RDONLY',
  suid: 'MS_NOSUID',
  dev: 'MS_NODEV',
  exec: 'MS_NOEXEC',
  async: 'MS_SYNCHRONOUS',
  nomand: 'MS_MANDLOCK',
  atime: 'MS_NOATIME',
  diratime: 'MS_NODIRATIME',
  norelatime: 'MS_RELATIME',
  nostrictatime: 'MS_STRICTATIME',
  nolazytime: 'MS_LAZYTIME',
  loud: 'MS_SILENT',
  symfollow: 'MS_NOSYMFOLLOW',
};

const propagation: Readonly<Record<string, readonly Flag<'ms'>[]>> = {
  private: ['MS_PRIVATE'],
  rprivate: ['MS_PRIVATE', 'MS_REC'],
  slave: ['MS_SLAVE'],
  rslave: ['MS_SLAVE', 'MS_REC'],
  shared: ['MS_SHARED'],
  rshared: ['MS_SHARED', 'MS_REC'],
  unbindable: ['MS_UNBINDABLE'],
  runbindable: ['MS_UNBINDABLE', 'MS_REC'],
};

/** Later words win over earlier ones, as with mount(8). */
export function parseMountOptions(words: readonly string[]): MountOptions {
  const flags = new Set<Flag<'ms'>>();
  const options: MountOptions = { flags: [], propagation: [], data: '' };
  const data: string[] = [];
  for (const word of words) {
    const cleared = clear[word];
    if (word === 'defaults') continue;
    else if (cleared) flags.delete(cleared);
    else if (set[word]) for (const flag of set[word]) flags.add(flag);
    else if (propagation[word]) options.propagation = [...propagation[word]];
    else data.push(word);
  }
  return { ...options, flags: [...flags], data: data.join(',') };
}

/** Every word that is understood here; a file system may know more. */
export const mountOptionWords = (): string[] =>
  [...Object.keys(set), ...Object.keys(clear), ...Object.keys(propagation)].sort();
