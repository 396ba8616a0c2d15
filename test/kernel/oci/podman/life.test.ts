/** podman with tslab-oci as its runtime: a container from its first day to its last. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { traces } from '../../../support/cgroups.ts';
import { alive, lack, Podman, statusOf, TSLAB } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const { concurrent: together } = test;
const obeys = (signal: string, code: number) => [
  'sh',
  '-c',
  `trap "echo ${signal}; exit ${code}" ${signal}; echo up; while :; do sleep 0.02; done`,
];
const isUp = (name: string) =>
  expect.poll(async () => (await podman.run('logs', name)).stdout, { timeout: 5000 }).toBe('up\n');

together('run --rm: output, exit status; nothing is left', async () => {
  const id = `${podman.folder}/cid`;
  expect(await podman.box('--cidfile', id, 'box', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
    status: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  expect(traces(readFileSync(id, 'utf8'))).toEqual([]);
  expect((await podman.sh(['ls', '/run/tslab-oci', '/run/netns'])).stdout.trim().split('\n')).not.toContain(
    readFileSync(id, 'utf8'),
  );
});

together('stop: SIGTERM, and after its patience SIGKILL', async () => {
  await podman.begin('obeys', [], obeys('TERM', 3));
  await podman.begin('deaf');
  await isUp('obeys');
  expect(await podman.run('stop', '--time', '10', 'obeys')).toMatchObject({ status: 0, stderr: '' });
  expect((await podman.run('stop', '--time', '1', 'deaf')).stderr).toContain('resorting to SIGKILL');
  expect(await podman.inspect('obeys', '.State.ExitCode')).toBe('3');
  expect(await podman.inspect('deaf', '.State.ExitCode')).toBe('137');
  expect((await podman.run('logs', 'obeys')).stdout).toBe('up\nTERM\n');
  expect((await podman.run('start', 'obeys')).status).toBe(0);
  expect((await podman.run('rm', '--force', '--time', '0', 'obeys')).status).toBe(0);
});

together('kill --signal, wait, ps', async () => {
  await podman.begin('usr', [], obeys('USR1', 4));
  await isUp('usr');
  const waited = podman.run('wait', 'usr');
  expect((await podman.run('kill', '--signal', 'USR1', 'usr')).status).toBe(0);
  expect((await waited).stdout).toBe('4\n');
  const list = await podman.run('ps', '--all', '--filter', 'name=usr', '--format', '{{.Names}} {{.Status}}');
  expect(list.stdout).toMatch(/^usr Exited \(4\)/);
});

together('exec: environment, user, directory, exit status, in the background', async () => {
  await podman.begin('host');
  const flags = ['--env', 'A=b', '--user', '1000', '--workdir', '/tmp'];
  expect(await podman.run('exec', ...flags, 'host', 'sh', '-c', 'echo $A; id -u; pwd; exit 9')).toMatchObject(
    { status: 9, stdout: 'b\n1000\n/tmp\n' },
  );
  expect(await podman.do(['exec', '--interactive', 'host', 'cat'], { stdin: 'words' })).toMatchObject({
    status: 0,
    stdout: 'words',
  });
  await podman.run('exec', '--detach', 'host', 'sh', '-c', 'echo done >/there');
  await expect
    .poll(async () => (await podman.run('exec', 'host', 'cat', '/there')).stdout, { timeout: 10_000 })
    .toBe('done\n');
  const all = await podman.run('exec', '--privileged', 'host', 'grep', 'CapEff', '/proc/self/status');
  expect(all.stdout.split('\t')[1]?.trim()).toBe(statusOf(process.pid, 'CapBnd'));
});

together('pause: nothing runs, and cp works; unpause', async () => {
  const counts = 'i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.01; done';
  const pid = await podman.begin('still', [], ['sh', '-c', counts]);
  const count = () => readFileSync(`/proc/${pid}/root/count`, 'utf8');
  await expect.poll(count).toMatch(/\d/);
  expect((await podman.run('pause', 'still')).status).toBe(0);
  expect(await podman.inspect('still', '.State.Status')).toBe('paused');
  const before = count();
  expect((await podman.run('cp', '/etc/passwd', 'still:/copied')).status).toBe(0);
  expect((await podman.run('exec', 'still', 'true')).status).not.toBe(0);
  expect(count()).toBe(before);
  expect((await podman.run('unpause', 'still')).status).toBe(0);
  await expect.poll(count).not.toBe(before);
  expect(readFileSync(`/proc/${pid}/root/copied`, 'utf8')).toContain('root:');
});

together('cp of a stopped one, diff, commit', async () => {
  await podman.run('run', '--name', 'writer', '--network', 'none', 'box', 'sh', '-c', 'echo kept >/kept');
  const tar = await podman.sh(['sh', '-c', 'podman cp writer:/kept - | tar -xO']);
  expect(tar.stdout).toBe('kept\n');
  expect((await podman.run('diff', 'writer')).stdout).toMatch(/^A \/kept$/m);
  expect((await podman.run('commit', 'writer', 'again')).status).toBe(0);
  expect((await podman.box('again', 'cat', '/kept')).stdout).toBe('kept\n');
});

together('top and stats', async () => {
  await podman.begin('seen', ['--memory', '64m']);
  expect((await podman.run('top', 'seen', 'pid', 'args')).stdout).toMatch(/^1\s+sleep 100/m);
  const format = '{{.PIDs}} {{.MemUsage}}';
  const stats = await podman.run('stats', '--no-stream', '--format', format, 'seen');
  expect(stats.stdout).toMatch(/^1 [\d.]+[kM]B \/ 67.11MB/);
});

together('--restart on-failure, and a health check', async () => {
  const fails = ['--restart', 'on-failure:2', '--name', 'again-and-again'];
  await podman.run('run', '--detach', '--network', 'none', ...fails, 'box', 'sh', '-c', 'echo hi; exit 3');
  const done = async () =>
    `${await podman.inspect('again-and-again', '.RestartCount')} ${await podman.inspect('again-and-again', '.State.Status')}`;
  await expect.poll(done, { timeout: 15_000, interval: 300 }).toBe('2 exited');
  expect((await podman.run('logs', 'again-and-again')).stdout).toBe('hi\nhi\nhi\n');
  await podman.begin('ill', ['--health-cmd', 'test -e /well', '--health-interval', 'disable']);
  expect(await podman.run('healthcheck', 'run', 'ill')).toMatchObject({ status: 1, stdout: 'unhealthy\n' });
  await podman.run('exec', 'ill', 'touch', '/well');
  expect((await podman.run('healthcheck', 'run', 'ill')).status).toBe(0);
});

together('which runtime it is; a checkpoint is refused by name', async () => {
  await podman.begin('frozen');
  expect(await podman.inspect('frozen', '.OCIRuntime')).toBe(TSLAB);
  const { status, stderr } = await podman.run('container', 'checkpoint', 'frozen');
  expect(status).toBe(125);
  expect(stderr).toMatch(/checkpoint/);
  expect(await podman.inspect('frozen', '.State.Status')).toBe('running');
});

together('a container whose conmon was killed can be removed', async () => {
  const pid = await podman.begin('orphan');
  process.kill(Number(await podman.inspect('orphan', '.State.ConmonPid')), 'SIGKILL');
  expect(alive(pid)).toBe(true);
  expect((await podman.run('rm', '--force', '--time', '0', 'orphan')).status).toBe(0);
  expect(alive(pid)).toBe(false);
});

test('system prune takes what has stopped, and leaves what runs', async () => {
  const pid = await podman.begin('stays');
  await podman.run('run', '--name', 'goes', '--network', 'none', 'box', 'true');
  expect((await podman.run('system', 'prune', '--force')).status).toBe(0);
  const { stdout } = await podman.run('ps', '--all', '--format', '{{.Names}}');
  expect(stdout.split('\n')).toContain('stays');
  expect(stdout.split('\n')).not.toContain('goes');
  expect(alive(pid)).toBe(true);
});
