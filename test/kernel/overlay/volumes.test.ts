/** Volumes: what outlives a container, and what does not. */
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ImageHost } from '../../support/image-host.ts';

let host: ImageHost;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  host = new ImageHost();
});
afterEach(() => host?.[Symbol.dispose]());

const volume = (name: string, path = '') => join(host.data, 'volumes', name, path);

test('a named one is made on demand, gets what the image has there, once, and stays', () => {
  host.image('app', {}, { 'data/first': 'from the image', 'data/deep/x': '' });
  const run = (...words: string[]) => host.tslab('run', '--rm', '-v', 'kept:/data', 'app', ...words);
  expect(run('sh', '-c', 'cat /data/first; chown 7:8 /data/deep; rm /data/first').stdout).toBe(
    'from the image',
  );
  expect(readdirSync(volume('kept'))).toEqual(['deep']);
  expect([lstatSync(volume('kept', 'deep')).uid, lstatSync(volume('kept', 'deep')).gid]).toEqual([7, 8]);
  expect(run('ls', '/data').stdout).toBe('deep\n'); // it is not filled again
  expect(host.tslab('run', '--rm', '-v', 'kept:/elsewhere:ro', '--', 'touch', '/elsewhere/x').stderr).toMatch(
    /Read-only/,
  );
  expect(host.tslab('volume', 'ls', '-q').stdout).toBe('kept\n');
});

test('with ids of its own, a container leaves plain numbers in it', () => {
  host.image('app', {}, { 'data/x': '' });
  const script = 'stat -c %u /data/x; echo y > /data/y';
  expect(
    host.tslab('run', '--rm', '--userns', 'auto', '-v', 'kept:/data', 'app', 'sh', '-c', script).stdout,
  ).toBe('0\n');
  expect(['x', 'y'].map((name) => lstatSync(volume('kept', name)).uid)).toEqual([0, 0]);
});

test('a symlink of the image leads to the image’s own files, and fills the volume from there', () => {
  const [, layer = ''] = host.image('app', {}, { 'etc/mine': '' });
  symlinkSync('/etc', join(layer, 'data'));
  symlinkSync('../../../../../../../../etc/shadow', join(layer, 'etc/link'));
  expect(host.tslab('run', '--rm', '-v', 'kept:/data', 'app', 'true').status).toBe(0);
  expect(readdirSync(volume('kept'))).toContain('mine');
  expect(existsSync(volume('kept', 'shadow'))).toBe(false);
  expect(lstatSync(volume('kept', 'link')).isSymbolicLink()).toBe(true);
});

test('those without a name go with their container', () => {
  host.image('app', { Volumes: { '/data': {}, '/other/deep': {} } }, { 'data/x': 'y' });
  const run = (...flags: string[]) =>
    host.tslab(
      'run',
      '--rm',
      '-d',
      '--name',
      'one',
      ...flags,
      'app',
      'sh',
      '-c',
      'cat /data/x; echo > /data/new; sleep 100',
    );
  run();
  expect(
    host.tslab(
      'exec',
      'one',
      'sh',
      '-c',
      'until [ -e /data/new ]; do :; done; grep -c " /data \\| /other/deep " /proc/self/mountinfo',
    ).stdout,
  ).toBe('2\n');
  expect(readdirSync(join(host.data, 'containers/one/volumes/0')).sort()).toEqual(['new', 'x']);
  host.tslab('rm', '-f', 'one');
  expect(existsSync(join(host.data, 'containers'))).toBe(false);
  run('-v', 'named:/data');
  host.tslab('rm', '-f', 'one');
  expect(readFileSync(volume('named', 'x'), 'utf8')).toBe('y');
});

test('the commands', () => {
  expect(host.tslab('volume', 'create', 'a', 'b').stdout).toBe('a\nb\n');
  expect(host.tslab('volume', 'create', '../x').stderr).toMatch(/volume "\.\.\/x": it takes letters/);
  host.tslab('run', '-d', '--name', 'one', '-v', 'a:/a', '--', 'sleep', '100');
  const [told] = JSON.parse(host.tslab('volume', 'inspect', 'a').stdout);
  expect(told).toMatchObject({ Name: 'a', Mountpoint: '/var/lib/tslab/volumes/a', Containers: ['one'] });
  expect(host.tslab('volume', 'rm', 'a').stderr).toMatch(/container one uses it/);
  expect(host.tslab('volume', 'prune').stdout).toBe('b\n');
  expect(readdirSync(join(host.data, 'volumes')).sort()).toEqual(['a', 'b']);
  expect(host.tslab('volume', 'prune', '--force').stdout).toBe('b\n');
  host.tslab('rm', '-f', 'one');
  expect(host.tslab('volume', 'rm', 'a').stdout).toBe('a\n');
  expect(host.tslab('volume', 'rm', 'a').stderr).toMatch(/there is none/);
});
