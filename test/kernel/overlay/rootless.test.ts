/** Layers of an ordinary user, in a user namespace of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ImageHost } from '../../support/image-host.ts';
import { OrdinaryUser, RANGE, UID } from '../../support/ordinary-user.ts';

let user: OrdinaryUser;
let images: ImageHost;
let data: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root, to become somebody else');
  user = new OrdinaryUser();
  ctx.skip(!user.mayRun, 'the ordinary user may not enter this checkout');
  data = join(user.home, '.local/share/tslab');
  mkdirSync(data, { recursive: true });
  images = new ImageHost(data);
});
afterEach(() => {
  images?.[Symbol.dispose]();
  user?.[Symbol.dispose]();
});

const give = () => execFileSync('chown', ['-R', `${UID}:${UID}`, join(user.home, '.local')]);
const containers = () => (existsSync(join(data, 'containers')) ? readdirSync(join(data, 'containers')) : []);

test('layers below, changes above, and nothing stays', () => {
  const layers = images.image('app', { WorkingDir: '/srv' }, { mine: 'text' });
  give();
  const script =
    'id -u; pwd; cat /mine; echo x >> /mine; rm -r /home; mkdir /home; touch /other; chown 5:5 /other; grep " / / " /proc/self/mountinfo; sleep 100';
  const ran = user.tslab('run', '-d', '--name', 'one', 'app', 'sh', '-c', script);
  expect(ran.stderr).toBe('');
  try {
    const done = 'until [ "$(stat -c %u /other)" = 5 ]; do :; done';
    expect(user.tslab('exec', 'one', 'sh', '-c', done).status).toBe(0);
    expect(user.tslab('logs', 'one').stdout).toMatch(/^0\n\/srv\ntext.* - overlay overlay .*userxattr/s);
    const upper = join(data, 'containers/one/upper');
    expect(lstatSync(join(upper, 'mine')).uid).toBe(UID);
    expect(lstatSync(join(upper, 'other')).uid).toBe(RANGE.first + 4);
    const opaque = ['-n', 'user.overlay.opaque', '--only-values', join(upper, 'home')];
    expect(execFileSync('getfattr', ['--absolute-names', ...opaque], { encoding: 'utf8' })).toBe('y');
  } finally {
    expect(user.tslab('rm', '-f', 'one').stderr).toBe('');
  }
  expect(containers()).toEqual([]);
  expect(readFileSync(join(layers[1] ?? '', 'mine'), 'utf8')).toBe('text');
});

test('in the foreground, with files of other ids, and killed', () => {
  images.image('app');
  give();
  const script = 'mkdir -p /a/b; touch /a/b/c; chown -R 9:9 /a; chmod 700 /a';
  expect(user.tslab('run', '--rm', 'app', 'sh', '-c', script)).toMatchObject({ status: 0, stderr: '' });
  expect(containers()).toEqual([]);
  expect(user.tslab('run', '--rm', '--userns', 'keep-id', 'app', 'id', '-u').stdout).toBe(`${UID}\n`);
});

test('a plain folder, and a volume with files of other ids, which its owner can remove', () => {
  images.image('app', {}, { 'etc/who': 'one' }, { 'etc/who': 'two' });
  give();
  const plain = join(user.home, 'plain');
  expect(user.tslab('rootfs', '--from', 'app', plain)).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(join(plain, 'etc/who'), 'utf8')).toBe('two');
  const script = 'mkdir /v/y; touch /v/y/z; chown -R 7 /v/y';
  expect(user.tslab('run', '--rm', '-v', 'kept:/v', 'app', 'sh', '-c', script).status).toBe(0);
  expect(lstatSync(join(data, 'volumes/kept/y')).uid).toBe(RANGE.first + 6);
  expect(user.tslab('volume', 'rm', 'kept')).toMatchObject({ status: 0, stdout: 'kept\n', stderr: '' });
  expect(existsSync(join(data, 'volumes/kept'))).toBe(false);
});
