import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const fixtures = join(import.meta.dirname, '../../rootfs-fixtures');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rootfs-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe.each(['busybox', 'host'])('%s', (name) => {
  beforeEach((ctx) => {
    ctx.skip(name === 'busybox' && spawnSync('busybox').error !== undefined, 'needs busybox');
  });

  test('has a shell, the usual directories and names, and can be read by everyone', () => {
    const root = build(name);
    for (const path of [
      'bin/sh',
      'bin/ps',
      'bin/mount',
      'usr/bin/ls',
      'sbin/sleep',
      'proc',
      'sys',
      'dev',
      'root',
    ]) {
      expect(existsSync(join(root, path)), path).toBe(true);
    }
    expect(statSync(root).mode & 0o777).toBe(0o755);
    expect(statSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777);
    expect(readFileSync(join(root, 'etc/os-release'), 'utf8')).toContain(`ID=tslab-${name}\n`);
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^root:x:0:0:/);
  });

  test('is the same each time, and replaces what was there', () => {
    const first = digest(build(name));
    expect(digest(build(name))).toBe(first);
    expect(readdirSync(dir)).toEqual([name]);
  }, 30_000);
});

test('busybox: without busybox it says what to install and leaves nothing', () => {
  const { status, stderr } = spawnSync('/bin/sh', [join(fixtures, 'busybox'), join(dir, 'x')], {
    env: { PATH: dir },
    encoding: 'utf8',
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain('apt-get install busybox-static');
  expect(readdirSync(dir)).toEqual([]);
});

function build(name: string): string {
  execFileSync('sh', [join(fixtures, name), join(dir, name)]);
  return join(dir, name);
}

/** Of names, modes, times, link targets and bytes. */
function digest(root: string): string {
  const script = 'tar --sort=name --numeric-owner -C "$1" -cf - . | sha256sum';
  return execFileSync('sh', ['-c', script, 'sh', root], { encoding: 'utf8' });
}
