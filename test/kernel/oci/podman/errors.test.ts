/** What podman makes of the runtime's errors: with runc it ends with the same status, and says the same of the cause. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lack, Podman, RUNC, type Said } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (lack) return;
  podman = await new Podman().import();
  await podman.begin('ours');
  if (RUNC)
    await podman.do(['run', '--detach', '--name', 'theirs', '--network', 'none', 'box', 'sleep', '100'], {
      runtime: RUNC,
    });
}, 30_000);
beforeEach((ctx) => {
  ctx.skip(lack !== undefined, lack);
  ctx.skip(!RUNC, 'needs runc');
});
afterAll(async () => await podman?.[Symbol.asyncDispose]());

/** After podman's own last colon: "OCI permission denied" and such. */
const cause = ({ stderr }: Said) =>
  stderr
    .trim()
    .split(': ')
    .at(-1)
    ?.replace(/[0-9a-f]{64}/, 'ID');

test.concurrent.each<[string, number, string[]]>([
  ['no such program', 127, ['box', 'nosuch']],
  ['no such file', 127, ['box', '/nosuch']],
  ['a program that is none', 126, ['box', '/etc/passwd']],
  ['a directory', 126, ['box', '/etc']],
  ['no such directory to work in', 126, ['--workdir', '/nosuch', 'box', 'true']],
  ['more files than this root may give', 126, ['--ulimit', 'nofile=999999999:999999999', 'box', 'true']],
  ['a flag that podman does not have', 125, ['--nosuch', 'box', 'true']],
  ['no such device', 125, ['--device', '/dev/nosuch', 'box', 'true']],
  ['no such volume', 125, ['--volume', '/nosuch:/x', 'box', 'true']],
  ['a sysctl of the host', 125, ['--sysctl', 'kernel.panic=1', 'box', 'true']],
  ['a sysctl that there is none', 127, ['--sysctl', 'net.nosuch=1', 'box', 'true']],
  ['a volume on a file', 126, ['--volume', '/tmp:/etc/passwd', 'box', 'true']],
  ['its own status', 42, ['box', 'sh', '-c', 'exit 42']],
])('run, %s: %i', async (_, status, words) => {
  const run = ['run', '--rm', '--network', 'none', ...words];
  const [ours, theirs] = await Promise.all([podman.run(...run), podman.do(run, { runtime: RUNC })]);
  expect([ours.status, theirs.status]).toEqual([status, status]);
  if (status === 126 || status === 127) expect(cause(ours)).toBe(cause(theirs));
});

test.concurrent.each<[string, number, string[]]>([
  ['no such program', 127, ['nosuch']],
  ['a program that is none', 126, ['/etc/passwd']],
  ['its own status', 3, ['sh', '-c', 'exit 3']],
  ['killed', 137, ['sh', '-c', 'kill -9 $$']],
])('exec, %s: %i', async (_, status, words) => {
  const [ours, theirs] = await Promise.all([
    podman.run('exec', 'ours', ...words),
    podman.do(['exec', 'theirs', ...words], { runtime: RUNC }),
  ]);
  expect([ours.status, theirs.status]).toEqual([status, status]);
  if (status > 125 && status < 128) expect(cause(ours)).toBe(cause(theirs));
});

test('exec in a directory that is not there', async () => {
  const { status, stderr } = await podman.run('exec', '--workdir', '/nosuch', 'ours', 'true');
  expect(status).toBe(127);
  expect(stderr).toContain('"/nosuch"');
});

test('what only execve finds out is told with its errno', async () => {
  const strange = join(podman.folder, 'strange');
  writeFileSync(strange, '#!/nosuch\n', { mode: 0o755 });
  const { status, stderr } = await podman.box('--volume', `${strange}:/strange`, 'box', '/strange');
  expect(status).toBe(126);
  expect(stderr).toContain('exec("/strange"): no such file or directory (ENOENT)');
});
