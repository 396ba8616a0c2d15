import { expect, test } from 'vitest';
import { attributeFlags, parseMountOptions } from '../../src/steps/mount-options.ts';

/** What mount_setattr(2) would be asked for, for the mount itself. */
const own = (...words: string[]) => attributeFlags(parseMountOptions(words).own);
const recursive = (...words: string[]) => attributeFlags(parseMountOptions(words).recursive);

test.each([
  [['ro', 'rw'], { set: [], clear: [] }],
  [['rw', 'ro'], { set: ['MOUNT_ATTR_RDONLY'], clear: [] }],
  [['nosuid', 'suid'], { set: [], clear: ['MOUNT_ATTR_NOSUID'] }],
  [['noatime'], { set: ['MOUNT_ATTR_NOATIME'], clear: ['MOUNT_ATTR__ATIME'] }],
  [['noatime', 'strictatime'], { set: ['MOUNT_ATTR_STRICTATIME'], clear: ['MOUNT_ATTR__ATIME'] }],
  [['strictatime', 'nostrictatime'], { set: ['MOUNT_ATTR_RELATIME'], clear: ['MOUNT_ATTR__ATIME'] }],
  [['nodiratime', 'relatime', 'nosymfollow'], expect.objectContaining({ clear: ['MOUNT_ATTR__ATIME'] })],
])('%j: the later word wins', (words, flags) => {
  expect(own(...words)).toEqual(flags);
});

test('recursive words are a set of their own, and later ones win over plain ones', () => {
  expect(recursive('rro', 'rnosuid', 'rsuid')).toEqual({
    set: ['MOUNT_ATTR_RDONLY'],
    clear: ['MOUNT_ATTR_NOSUID'],
  });
  expect(own('ro', 'rrw')).toEqual({ set: [], clear: [] });
  // The tree read-only, its top not.
  expect(own('rro', 'rw')).toEqual({ set: [], clear: ['MOUNT_ATTR_RDONLY'] });
});

test('words of mount(2), of propagation, and of the file system', () => {
  const words = [
    'defaults',
    'ro',
    'sync',
    'async',
    'lazytime',
    'slave',
    'rshared',
    'size=1m',
    'mode=700',
    'iversion',
  ];
  expect(parseMountOptions(words)).toMatchObject({
    flags: ['MS_RDONLY', 'MS_LAZYTIME', 'MS_I_VERSION'],
    propagation: { type: 'MS_SHARED', recursive: true },
    data: ['size=1m', 'mode=700'],
  });
});

/** config.md, "Linux mount options": the whole table. */
const table =
  'async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec noiversion ' +
  'nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount rexec ' +
  'rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared ' +
  'rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup ' +
  'unbindable idmap ridmap';

test.each(table.split(' '))('%s is understood, and not handed to the file system', (word) => {
  expect(parseMountOptions([word]).data).toEqual([]);
});
