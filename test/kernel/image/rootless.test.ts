/** An ordinary user's layers: root of a namespace of their own unpacks them, with the ids of their range. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../../src/image/store/digest.ts';
import { OrdinaryUser, RANGE, UID } from '../../support/ordinary-user.ts';
import { archive, dir } from '../../support/tar.ts';

const tar = archive(
  dir('d/', { uid: 5, gid: 6 }),
  { path: 'd/mine', body: 'x' },
  { path: 'd/theirs', body: 'x', uid: 33, gid: 44, mode: 0o4755 },
  { path: 'd/closed', body: 'x', uid: 33, mode: 0 },
  { path: 'd/.wh.gone' },
  { path: 'd/.wh..wh..opq' },
  {
    path: 'cap',
    body: 'x',
    pax: {
      'SCHILY.xattr.security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex'),
    },
  },
);

let user: OrdinaryUser;
beforeAll(() => {
  user = new OrdinaryUser();
});
afterAll(() => user[Symbol.dispose]());

const layerOf = (who: OrdinaryUser, bytes: Buffer) =>
  join(who.home, '.local/share/tslab/layers', digestOf(bytes).replace(':', '/'));

/** Imports the archive, and has it unpacked by comparing the image with itself. */
function importAndUnpack(who: OrdinaryUser, bytes: Buffer) {
  const file = join(who.home, 'layer.tar');
  writeFileSync(file, bytes);
  chownSync(file, UID, UID);
  const imported = who.tslab('image', 'import', file, 'own/layer');
  expect(imported).toMatchObject({ status: 0, stderr: '' });
  return who.tslab('image', 'diff', 'own/layer', 'own/layer');
}

test('ids are those of the range, whiteouts and capabilities as overlayfs takes them from a user', (ctx) => {
  ctx.skip(!user.mayRun, 'an ordinary user may not enter this checkout');
  expect(importAndUnpack(user, tar)).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const layer = layerOf(user, tar);
  const at = (path: string) => statSync(join(layer, path));
  expect(at('d/mine')).toMatchObject({ uid: UID, gid: UID });
  expect(at('d/theirs')).toMatchObject({ uid: RANGE.first + 33 - 1, gid: RANGE.first + 44 - 1 });
  expect(at('d/theirs').mode & 0o7777).toBe(0o4755);
  expect(at('d')).toMatchObject({ uid: RANGE.first + 5 - 1, gid: RANGE.first + 6 - 1 });
  expect(at('d/gone')).toMatchObject({ rdev: 0 });
  expect(at('d/gone').isCharacterDevice()).toBe(true);
  const xattrs = execFileSync('getfattr', ['-R', '-h', '-d', '-m', '-', '--absolute-names', layer], {
    encoding: 'utf8',
  });
  expect(xattrs).toContain('user.overlay.opaque="y"');
  expect(execFileSync('getcap', ['-n', join(layer, 'cap')], { encoding: 'utf8' })).toContain(
    `[rootid=${UID}]`,
  );

  const removed = user.tslab('image', 'rm', 'own/layer');
  expect(removed).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(layer)).toBe(false);
});

test('a device node is refused by name', (ctx) => {
  ctx.skip(!user.mayRun, 'an ordinary user may not enter this checkout');
  const device = archive({ path: 'dev/null', type: '3', major: 1, minor: 3 });
  expect(importAndUnpack(user, device).stderr).toMatch(
    /dev\/null: a device node \(1:3\): making one takes the host's root/,
  );
  expect(existsSync(layerOf(user, device))).toBe(false);
});

test('without a range all is the user, and that is told', (ctx) => {
  using alone = new OrdinaryUser('');
  ctx.skip(!alone.mayRun, 'an ordinary user may not enter this checkout');
  const { status, stderr } = importAndUnpack(alone, tar);
  expect(status).toBe(0);
  expect(stderr).toMatch(/note: uid 33 is nobody here \(see \/etc\/subuid\): what is theirs becomes yours/);
  const theirs = statSync(join(layerOf(alone, tar), 'd/theirs'));
  expect(theirs).toMatchObject({ uid: UID, gid: UID });
  // What ran as 33 does not run as the container's root instead.
  expect(theirs.mode & 0o7777).toBe(0o755);
});
