/** Keys have no namespace (keyrings(7)): a container must not keep what its asker has unlocked for itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';
import { copyRootfs } from '../../../src/runtime/rootfs.ts';

/** With arguments: makes a session keyring with a key in it, and becomes that command. Without: looks for the key. */
const source = `
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char text[32] = "";
	if (argc > 1) {
		syscall(SYS_keyctl, 1, NULL); /* KEYCTL_JOIN_SESSION_KEYRING */
		syscall(SYS_add_key, "user", "tslab-canary", "sesame", 6, -3);
		return execvp(argv[1], argv + 1);
	}
	long key = syscall(SYS_keyctl, 10, -3, "user", "tslab-canary", 0); /* KEYCTL_SEARCH */
	if (key > 0)
		syscall(SYS_keyctl, 11, key, text, sizeof text - 1); /* KEYCTL_READ */
	return printf("key: %s\\n", text) < 0;
}`;

let folder: string;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
});
afterEach(() => {
  if (folder) rmSync(folder, { recursive: true });
});

test('a container has a session keyring of its own', () => {
  const rootfs = copyRootfs(join(folder, 'rootfs'));
  const program = join(rootfs, 'keys');
  writeFileSync(join(folder, 'keys.c'), source);
  execFileSync('cc', ['-static', '-Os', '-o', program, join(folder, 'keys.c')]);
  const withKey = (...argv: string[]) => spawnSync(program, argv, { encoding: 'utf8' }).stdout;

  expect(withKey(program)).toBe('key: sesame\n');
  expect(withKey(join(packageRoot, 'bin/tslab'), 'run', '--rootfs', rootfs, '--', '/keys')).toBe('key: \n');
});
