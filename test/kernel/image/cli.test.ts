/** tslab image, from the outside: in a mount namespace whose /var/lib is its own, so that the host's images are not seen, nor changed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

const id = `tslab-image-${process.pid}`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tslab-image-cli-'));
  mkdirSync(join(folder, 'tree/d'), { recursive: true });
  writeFileSync(join(folder, 'tree/d/f'), 'text');
  // Its /var/lib is not seen by the host, and goes with the last process that has it.
  execFileSync('sh', ['-ec', `tar -C ${folder}/tree -czf ${folder}/tree.tar.gz .`]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One script, since the namespace ends with it. @returns what each line of it that begins with `tslab` printed. */
function inOwnHost(script: string): { status: number | null; stdout: string; stderr: string } {
  const whole = `mount -t tmpfs tmpfs /var/lib; cd ${folder}; tslab() { ${packageRoot}/bin/tslab "$@"; }; ${script}`;
  return spawnSync('unshare', ['-m', 'sh', '-ec', whole], { encoding: 'utf8', timeout: 60_000 });
}

function lines(script: string): string[] {
  const { status, stdout, stderr } = inOwnHost(script);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.trimEnd().split('\n');
}

test('import, ls, inspect, history, tag and rm', () => {
  const out = lines(`
    tslab image import -c 'CMD ["/d/f", "x"]' -c 'ENV A=1' -c 'LABEL b=2' tree own/tree:1 >/dev/null
    tslab image import - own/piped < tree.tar.gz >/dev/null
    tslab image ls --format '{{.Name}}'
    tslab image inspect --format '{{json .Config}} {{.RootFS.Type}} {{json .RepoTags}}' own/tree:1
    tslab image history --json own/tree:1 | grep comment
    tslab image tag own/tree:1 other
    tslab image rm own/tree:1 own/piped | grep -c deleted
    tslab image ls -q | wc -l
    tslab image rm other >/dev/null; ls -A /var/lib/tslab | wc -l`);
  expect(out.slice(0, 2)).toEqual(['own/piped:latest', 'own/tree:1']);
  expect(out[2]).toBe('{"Cmd":["/d/f","x"],"Env":["A=1"],"Labels":{"b":"2"}} layers ["own/tree:1"]');
  expect(out[3]).toContain('imported from tree');
  // The piped one's manifest, config and layer; the other name keeps the rest. Then all folders go.
  expect(out.slice(4)).toEqual(['3', '1', '0']);
});

test('save and load, by file and by pipe', () => {
  const out = lines(`
    tslab image import tree own/tree:1 >/dev/null
    tslab image save -o saved.tar own/tree:1; tslab image save own/tree:1 | gzip > saved.tar.gz
    before=$(tslab image inspect --format '{{.Id}}' own/tree:1); tslab image rm own/tree:1 >/dev/null
    tslab image load -i saved.tar; tslab image rm own/tree:1 >/dev/null
    tslab image load < saved.tar.gz
    [ "$before" = "$(tslab image inspect --format '{{.Id}}' own/tree:1)" ] && echo same`);
  expect(out).toEqual(['loaded own/tree:1', 'loaded own/tree:1', 'same']);
});

test('what a container changed is told, and becomes an image', () => {
  const rootfs = join(packageRoot, 'dist/rootfs/default');
  const out = lines(`
    tslab image import ${rootfs} own/base >/dev/null
    tslab run -d --name ${id} own/base sh -c 'echo hi > /new; rm /bin/ls; mkdir /fresh' >/dev/null; tslab wait ${id}
    tslab image diff ${id}
    tslab image commit -c 'ENV B=2' -m why ${id} own/next >/dev/null
    tslab image diff own/base own/next
    tslab image rm own/base | grep -c deleted.*${'[0-9a-f]'.repeat(8)}
    tslab rm ${id} >/dev/null
    tslab run own/next cat /new; tslab run own/next sh -c 'echo $B; test ! -e /bin/ls && echo gone'`);
  const changes = ['C /bin', 'D /bin/ls', 'A /fresh', 'A /new'];
  expect(out.slice(0, 10)).toEqual(['0', ...changes, ...changes, '2']);
  expect(out.slice(10)).toEqual(['hi', '2', 'gone']);
});

test.for([
  ['image inspect nothing', /image nothing: there is none; tslab image ls lists them/],
  ['image import tree UPPER', /"UPPER": a repository is in small letters/],
  ['image import -c "RUN x" tree own/a', /--change "RUN x": it takes a line that begins with one of CMD, /],
  ['image diff own/a own/b', /image own\/a: there is none/],
  ['image commit nobody own/a', /container nobody: there is none of this name/],
  ['image load -i tree/d/f', /ends in the middle of the first entry/],
] as const)('%s', ([words, says]) => {
  const { status, stderr } = inOwnHost(`tslab ${words}`);
  expect(stderr).toMatch(says);
  expect(status).toBe(1);
  expect(existsSync(join(folder, 'saved'))).toBe(false);
});
