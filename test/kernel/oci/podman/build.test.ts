/** podman build with tslab-oci: every RUN is a container. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { lack, Podman, RUNC } from '../../../support/podman.ts';

let podman: Podman;
beforeAll(async () => {
  if (!lack) podman = await new Podman().import();
}, 30_000);
beforeEach((ctx) => ctx.skip(lack !== undefined, lack));
afterAll(async () => await podman?.[Symbol.asyncDispose]());

async function build(name: string, lines: string[], runtime?: string) {
  const file = join(podman.folder, name);
  writeFileSync(file, lines.join('\n'));
  const words = [
    'build',
    '--isolation',
    'oci',
    '--network',
    'none',
    '--no-cache',
    '--tag',
    name,
    '--file',
    file,
  ];
  return await podman.do([...words, podman.folder], runtime === undefined ? {} : { runtime });
}

test('RUN, COPY, USER, ENV, CMD', async () => {
  const built = await build('whole', [
    'FROM box',
    'RUN echo $HOME >/home-of-root && mkdir /made && chown 1000 /made',
    'COPY whole /copied',
    'USER 1000',
    'WORKDIR /made',
    'RUN echo $HOME >mine && id -u >>mine && touch /x || echo refused >>mine',
    'ENV A=b',
    'CMD ["sh", "-c", "cat /home-of-root mine; head -n 1 /copied; echo $A"]',
  ]);
  expect(built, built.stderr).toMatchObject({ status: 0 });
  expect((await podman.box('whole')).stdout).toBe('/root\n/home/tslab\n1000\nrefused\nFROM box\nb\n');
});

test.concurrent('from nothing: one static program', async () => {
  writeFileSync(join(podman.folder, 'empty'), '');
  const built = await build('scratch', ['FROM scratch', 'COPY empty /empty', 'CMD ["/nosuch"]']);
  expect(built, built.stderr).toMatchObject({ status: 0 });
  expect((await podman.box('scratch')).status).toBe(127);
});

test.concurrent('a RUN that fails, as with runc', async () => {
  const lines = ['FROM box', 'RUN exit 4'];
  const ours = await build('fails', lines);
  expect(ours.status).toBe(4);
  if (RUNC) expect(ours.status).toBe((await build('fails-too', lines, RUNC)).status);
});

test.concurrent('what a RUN sees of its rights is what runc gives it', async (ctx) => {
  ctx.skip(!RUNC, 'needs runc');
  const lines = [
    'FROM box',
    "RUN grep -E '^(Cap|Seccomp|NoNew)' /proc/self/status; env | grep -v HOSTNAME | sort; ls /dev",
  ];
  const [ours, theirs] = await Promise.all([build('sees', lines), build('sees-too', lines, RUNC)]);
  const words = /^(STEP|COMMIT|-->|[0-9a-f]{64}|Success|core$)/; // podman's, and a link that runc makes only to what is there
  const seen = (text: string) => text.split('\n').filter((line) => !words.test(line));
  expect(seen(ours.stdout)).toEqual(seen(theirs.stdout));
});
