/** podman with tslab-oci: real terminals, what is typed at them, and much through pipes. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lack, Podman, TSLAB } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

const { concurrent: together } = test;
const it = ['--interactive', '--tty', '--network', 'none'];
/** Once the shell has put up its prompt. */
const prompt = 1500;

together('run -it: typed, echoed, answered; the size is that of the terminal outside', async () => {
  const keys = [[prompt, 'tty; stty size; echo $((6*7)); exit 5\n']] as const;
  const { status, stdout } = await podman.do(['run', '--rm', ...it, 'box', 'sh'], { keys });
  expect(stdout).toMatch(/\/dev\/pts\/0\r\n33 77\r\n42\r\n/);
  expect(status).toBe(5);
});

together('Ctrl-C is a signal inside', async () => {
  const script = 'trap "echo caught; exit 6" INT; echo up; while :; do sleep 0.05; done';
  const keys = [[prompt, '\x03']] as const;
  const { status, stdout } = await podman.do(['run', '--rm', ...it, 'box', 'sh', '-c', script], { keys });
  expect(stdout).toMatch(/up\r\n\^Ccaught\r\n/);
  expect(status).toBe(6);
});

together('exec -it: a terminal of its own; a kill inside is 137', async () => {
  await podman.begin('host', ['--tty']);
  const keys = [[prompt, 'tty; test -t 1 && echo yes; kill -9 $$\n']] as const;
  const { status, stdout } = await podman.do(['exec', '--interactive', '--tty', 'host', 'sh'], { keys });
  expect(stdout).toMatch(/\/dev\/pts\/1\r\nyes\r\n/);
  expect(status).toBe(137);
});

together('attach and --detach-keys: podman goes, the container stays', async () => {
  const loop = 'while read -r word; do echo "got $word"; done';
  await podman.begin('asked', ['--interactive', '--tty'], ['sh', '-c', loop]);
  const keys = [
    [prompt, 'one\n'],
    [300, '\x18'],
    [200, '\x19'],
  ] as const;
  const attached = await podman.do(['attach', '--detach-keys', 'ctrl-x,ctrl-y', 'asked'], { keys });
  expect(attached.stdout).toContain('got one\r\n');
  expect(await podman.inspect('asked', '.State.Status')).toBe('running');
});

together('attach to one without a terminal hands its input on', async () => {
  await podman.begin('plain', ['--interactive'], ['sh', '-c', 'read a; echo got $a; exit 8']);
  expect(await podman.do(['attach', 'plain'], { stdin: 'hello\n' })).toMatchObject({
    stdout: expect.stringContaining('got hello\n'),
  });
  expect((await podman.run('wait', 'plain')).stdout).toBe('8\n');
});

together('--sig-proxy: a signal for podman is one for the program', async () => {
  const script = 'trap "echo caught; exit 9" USR1; echo up; while :; do sleep 0.02; done';
  const words = `podman --runtime ${TSLAB} --cgroup-manager cgroupfs run --rm --network none --name proxied box sh -c '${script}'`;
  const wait = 'until podman logs proxied 2>/dev/null | grep -q up; do sleep 0.1; done';
  const { stdout, status } = await podman.sh(['sh', '-c', `${words} & ${wait}; kill -USR1 $!; wait $!`]);
  expect(stdout).toBe('up\ncaught\n');
  expect(status).toBe(9);
});

together('megabytes through standard input and output, and none is lost', async () => {
  const much = randomBytes(8 << 20);
  const sum = createHash('md5').update(much).digest('hex');
  const { stdout } = await podman.do(['run', '--rm', '--interactive', '--network', 'none', 'box', 'md5sum'], {
    stdin: much,
  });
  expect(stdout).toBe(`${sum}  -\n`);
  expect(
    (await podman.box('box', 'sh', '-c', 'head -c 30000000 /dev/zero | tr "\\0" x')).stdout,
  ).toHaveLength(30_000_000);
});
