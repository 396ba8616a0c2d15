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

test('commit holds a running container still, unless told otherwise; and lets go of it when it is ended', () => {
  const out = lines(`
    tslab image import ${join(packageRoot, 'dist/rootfs/default')} own/base >/dev/null
    tslab run -d --name ${id} own/base sh -c \
      'head -c 60000000 /dev/urandom > /big; while :; do i=$((i+1)); echo $i > /new; mv /new /count; sleep 0.01; done' >/dev/null
    count=/var/lib/tslab/containers/${id}/upper/count
    until [ -e $count ]; do sleep 0.1; done
    look() { a=$(cat $count); sleep 0.2; [ "$a" = "$(cat $count)" ] && echo still || echo goes on; }
    during() { (${packageRoot}/bin/tslab image commit "$@" ${id} own/next >/dev/null; touch done) & sleep 1; look; while [ ! -e done ]; do sleep 0.1; done; rm done; }
    during; look
    during --pause=false
    ${packageRoot}/bin/tslab image commit ${id} own/next & sleep 1; look; kill $!; { wait $! || echo $?; } 2>/dev/null; look
    tslab pause ${id}; tslab image commit ${id} own/next >/dev/null; look
    tslab unpause ${id}; tslab rm -f ${id} >/dev/null`);
  expect(out).toEqual(['still', 'goes on', 'goes on', 'still', '143', 'goes on', 'still']);
});

test('--max-size and --max-entries: unpacked now, or no name', () => {
  const all = '2>&1 | sed "s/.*layer: //"';
  const out = lines(`
    truncate -s 3M tree/zeros; tar -C tree -cf three.tar .; rm tree/zeros
    tslab image import --max-size 3m three.tar own/large ${all}
    tslab image import --max-entries 3 three.tar own/many ${all}
    tslab image ls -q | wc -l
    tslab image import --max-size 4m three.tar own/fits >/dev/null; ls /var/lib/tslab/layers/sha256 | wc -l
    tslab image save -o fits.tar own/fits; tslab image rm own/fits >/dev/null; ls -A /var/lib/tslab | wc -l
    tslab image load --max-size 1m -i fits.tar ${all}
    tslab image ls -q | wc -l; ls -A /var/lib/tslab/layers/sha256 2>/dev/null | wc -l
    tslab image load --max-size 4m -i fits.tar; ls /var/lib/tslab/layers/sha256 | wc -l`);
  const flag = '; if it may be so large, fetch it with --max-size';
  expect(out).toEqual([
    `more than 3145728 bytes${flag}`,
    'more than 3 entries',
    '0',
    '1',
    '0',
    `./zeros: with it, more than 1048576 bytes${flag}`,
    '0',
    '0',
    'loaded own/fits:latest',
    '1',
  ]);
});

test.for([
  ['image import --max-size much tree own/a', /--max-size much: it takes a size such as 512m/],
  ['image import --max-size 0 tree own/a', /--max-size 0: it takes a size/],
  ['image load --max-entries 1.5 -i tree/d/f', /It takes a whole number above zero/],
  ['image commit --pause=no nobody own/a', /Allowed choices are true, false/],
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
