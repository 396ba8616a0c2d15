/** tslab run IMAGE, from outside. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAtLeast } from '../../../src/facts/kernel.ts';
import { defaultSpec } from '../../../src/index.ts';
import { HostNetwork, NO_TRANSLATION, translatesAddresses } from '../../support/host-network.ts';
import { ImageHost } from '../../support/image-host.ts';

let host: ImageHost;
beforeEach((ctx) => {
  ctx.skip(process.getuid?.() !== 0, 'needs root');
  host = new ImageHost();
});
afterEach(() => host?.[Symbol.dispose]());

const containers = () =>
  existsSync(join(host.data, 'containers')) ? readdirSync(join(host.data, 'containers')) : [];

test('what the image says of its containers, and what the command line says instead', () => {
  host.image(
    'app:1',
    {
      Entrypoint: ['sh', '-c', 'echo "$0 $*"; id -u; id -g; id -G; pwd; echo $GREETING $HOME'],
      Cmd: ['zero', 'one'],
      Env: ['GREETING=hello', 'PATH=/bin'],
      WorkingDir: '/srv/app',
      User: 'app',
    },
    {
      'etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:1234:1235::/home/app:/bin/sh\n',
      'etc/group': 'root:x:0:\napp:x:1235:\nextra:x:77:x,app\n',
    },
  );
  expect(host.tslab('run', '--rm', 'app:1').stdout).toBe(
    'zero one\n1234\n1235\n1235 77\n/srv/app\nhello /home/app\n',
  );
  expect(
    host.tslab('run', '--rm', '-u', 'root:extra', '-w', '/tmp', '-e', 'GREETING=bye', 'app:1', 'new', 'words')
      .stdout,
  ).toBe('new words\n0\n77\n77\n/tmp\nbye /root\n');
  expect(host.tslab('run', '--rm', '--entrypoint', 'echo', 'app:1', 'x').stdout).toBe('x\n');
  expect(host.tslab('run', '--rm', '-u', 'nobody-knows', 'app:1').stderr).toMatch(
    /nobody-knows.*\/etc\/passwd/,
  );
  expect(containers()).toEqual([]);
});

test('one in the foreground stays as well, with its files and its status, unless it is to go', () => {
  host.image('app');
  expect(host.tslab('run', '--name', 'one', 'app', 'sh', '-c', 'echo x > /x; exit 3').status).toBe(3);
  expect(host.tslab('ps', '-a').stdout).toMatch(/^one +app(:latest)? +exited \(3\)/m);
  expect(host.tslab('image', 'diff', 'one').stdout).toBe('A /x\n');
  expect(host.tslab('image', 'commit', 'one', 'more').status).toBe(0);
  expect(host.tslab('run', '--rm', 'more', 'cat', '/x').stdout).toBe('x\n');
  expect(host.tslab('rm', 'one').status).toBe(0);
  expect(containers()).toEqual([]);
});

test('names, network files, and mount points are a layer of their own', () => {
  host.image('app');
  const script = 'cat /etc/hosts /etc/hostname /etc/resolv.conf; echo x > /x';
  const run = (...flags: string[]) =>
    host.tslab('run', '--rm', '--hostname', 'box', ...flags, 'app', 'sh', '-c', script);
  expect(run().stdout).toMatch(/^127\.0\.0\.1\tlocalhost\n[\s\S]*\tbox\nbox\n$/);
  const resolv = readFileSync('/etc/resolv.conf', 'utf8');
  expect(run('--network', 'host').stdout).toMatch(/localhost\n[\s\S]*\tbox\nbox\n/);
  expect(run('--network', 'host').stdout.endsWith(`box\n${resolv}`)).toBe(true);
  host.tslab('run', '-d', '--name', 'one', 'app', 'sh', '-c', 'echo x > /x');
  host.tslab('wait', 'one');
  expect(readdirSync(join(host.data, 'containers/one/upper'))).toEqual(['x']);
  expect(host.tslab('rm', 'one').status).toBe(0);
  expect(containers()).toEqual([]);
});

test('ten containers of one image take little more room than one copy of it', () => {
  const [base = ''] = host.image('app');
  const used = (path: string) =>
    Number(/^\d+/.exec(execFileSync('du', ['-sk', path], { encoding: 'utf8' }))?.[0]);
  const folder = join(host.data, 'containers');
  const names = Array.from({ length: 10 }, (_, i) => `c${i}`);
  const runAll = (...what: string[]): number => {
    for (const name of names)
      host.tslab('run', '-d', '--name', name, ...what, 'sh', '-c', 'echo hi > /root/x; sleep 100');
    return used(folder);
  };
  try {
    const layered = runAll('app');
    expect(host.tslab('ps', '-q').stdout.trim().split('\n').sort()).toEqual(names);
    expect(host.tslab('ps').stdout).toMatch(/CONTAINER +IMAGE +PID.*\n.*c0 +app /);
    const told = JSON.parse(host.tslab('image', 'df', '--json').stdout);
    const { bytes, asCopies } = told.find(({ what }: { what: string }) => what === 'containers');
    expect(layered - bytes / 1024).toBeLessThan(8); // du counts the folder of all of them, too
    expect(asCopies).toBe(bytes + 10 * 1024 * used(base));
    expect(host.tslab('rm', '-f', ...names).stderr).toBe('');
    const copied = runAll('--');
    expect(layered * 15).toBeLessThan(copied);
    expect(copied).toBeGreaterThan(10 * used(base));
    expect(host.tslab('rm', '-f', ...names).stderr).toBe('');
  } finally {
    host.tslab('rm', '-f', ...containers());
  }
  expect(containers()).toEqual([]);
});

test('exec, logs, and an end by kill -9 of the launcher', () => {
  host.image('app');
  host.tslab('run', '-d', '--rm', '--name', 'one', 'app', 'sh', '-c', 'echo said; exec sleep 100');
  expect(host.tslab('exec', 'one', 'sh', '-c', 'echo y > /y; cat /etc/os-release').stdout).toMatch(/tslab/);
  expect(host.tslab('logs', 'one').stdout).toBe('said\n');
  const { pid } = JSON.parse(host.tslab('ps', '--json').stdout).find(
    ({ id }: { id: string }) => id === 'one',
  );
  const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  expect(containers()).toEqual(['one']);
  process.kill(Number(parent), 'SIGKILL');
  for (let tries = 0; tries < 50 && existsSync(`/proc/${pid}/root/etc`); tries++)
    execFileSync('sleep', ['0.05']);
  expect(host.tslab('clean').stdout).toMatch(/undone/);
  expect(containers()).toEqual([]);
});

test('with ids of its own it sees the layers as its own, and they stay as they are', () => {
  const layers = host.image('app', {}, { mine: 'text' });
  const script = 'stat -c %u /mine /bin; echo x > /new; echo x >> /mine; sleep 100';
  const ran = host.tslab('run', '-d', '--userns', 'auto', '--name', 'one', 'app', 'sh', '-c', script);
  try {
    expect(host.tslab('exec', 'one', 'sh', '-c', 'until [ -e /new ]; do :; done; cat /mine').stdout).toMatch(
      /^text/,
    );
    expect(host.tslab('logs', 'one').stdout).toBe('0\n0\n');
    // An older kernel can't, and the container has a copy that was given to it.
    const maps = isAtLeast(release(), 6, 15);
    expect(ran.stderr).toMatch(maps ? /^$/ : /note: kernel .* copy of the whole image/);
    const changed = statSync(join(host.data, 'containers/one', maps ? 'upper' : 'rootfs', 'new'));
    expect([changed.uid, changed.gid].map((id) => id === 0)).toEqual([maps, maps]);
  } finally {
    host.tslab('rm', '-f', 'one');
  }
  expect(readFileSync(join(layers[1] ?? '', 'mine'), 'utf8')).toBe('text');
  expect(containers()).toEqual([]);
});

test('where layers can’t be had, the container gets a copy and says so', () => {
  host.image('app', {}, { 'etc/who': 'one' }, { 'etc/who': 'two' });
  // A data folder that is an overlay itself takes no upper layer.
  const over = `mkdir -p $0/o/u $0/o/w && mount -t overlay o -o lowerdir=/var/lib/tslab,upperdir=$0/o/u,workdir=$0/o/w /var/lib/tslab && exec "$@"`;
  const ran = host.run(
    'sh',
    '-c',
    over,
    host.folder,
    `${process.cwd()}/bin/tslab`,
    'run',
    'app',
    'sh',
    '-c',
    'cat /etc/who; grep " / / " /proc/self/mountinfo',
  );
  expect(ran.stderr).toMatch(/note: .*takes no upper layer/);
  expect(ran.stdout).toMatch(/^two/);
  expect(readdirSync(join(host.folder, 'o/u'))).not.toContain('one');
});

test('a word that is no image', () => {
  const { stderr, status } = host.tslab('run', '--hostname', 'a b', 'sh', '-c', 'echo x');
  expect(status).not.toBe(0);
  expect(stderr).toContain("type: tslab run --hostname 'a b' -- sh -c 'echo x'");
  host.image('app');
  expect(host.tslab('run', '--rm', 'app').stderr).toMatch(/names no program/);
  expect(host.tslab('run', '--rm', '--', 'echo', 'fine').stdout).toBe('fine\n');
});

test('one that has ended runs again, with what it changed', () => {
  host.image('app');
  const script = 'echo run >> /runs; cat /runs; echo --; hostname';
  host.tslab('run', '-d', '--name', 'one', 'app', 'sh', '-c', script);
  expect(host.tslab('wait', 'one').stdout).toBe('0\n');
  expect(host.tslab('start', 'one')).toMatchObject({ stdout: 'one\n', stderr: '' });
  host.tslab('wait', 'one');
  expect(host.tslab('logs', 'one').stdout).toBe('run\n--\ntslab\nrun\nrun\n--\ntslab\n');
  host.tslab('rm', 'one');
  expect(host.tslab('start', 'one').stderr).toMatch(/there is none/);
});

test('labels can’t give orders, and a plan can be looked at', () => {
  host.image('app', { Cmd: ['true'], Labels: { 'org.tslab.no-pivot': 'true', note: 'x' } });
  const { stdout } = host.tslab('plan', '--json', 'app');
  const kinds = JSON.parse(stdout).steps.map(({ kind }: { kind: string }) => kind);
  const own = isAtLeast(release(), 6, 13) ? ['fsopen', 'fsconfig', 'fsmount'] : ['symlink', 'open_tree'];
  expect(kinds).toEqual(expect.arrayContaining([...own, 'pivot_root']));
  expect(host.tslab('run', '--rm', 'app').status).toBe(0);
  expect(containers()).toEqual([]);
  expect(host.tslab('run', '--rm', '--pull', 'never', 'nosuch').stderr).toMatch(
    /^tslab: image nosuch: there is none/,
  );
});

test('an image as a plain folder, and the other templates', () => {
  host.image('app', {}, { 'etc/who': 'one', gone: '' }, { 'etc/who': 'two' });
  const folder = join(host.folder, 'plain');
  expect(host.tslab('rootfs', '--from', 'app', folder)).toMatchObject({ stdout: `${folder}\n`, status: 0 });
  expect(readFileSync(join(folder, 'etc/who'), 'utf8')).toBe('two');
  expect(host.tslab('run', '--rm', '--rootfs', folder, '--', 'cat', '/etc/who').stdout).toBe('two');
  expect(host.tslab('rootfs', '--from', 'app', folder).stderr).toMatch(/is not empty/);

  const copied = join(host.folder, 'host');
  expect(host.tslab('rootfs', '--from', 'host', copied, 'getent').status).toBe(0);
  expect(host.tslab('run', '--rm', '--rootfs', copied, '--', 'getent', 'passwd', 'root').stdout).toMatch(
    /^root:/,
  );
  expect(host.tslab('rootfs', join(host.folder, 'busybox')).status).toBe(0);
});

test('an engine’s config has no say over layers', () => {
  const bundle = join(host.folder, 'bundle');
  mkdirSync(bundle);
  const annotations = { 'org.tslab.overlay.lower': '["/","/etc"]' };
  writeFileSync(
    join(bundle, 'config.json'),
    JSON.stringify({ ...defaultSpec({ args: ['true'], rootfs: '/' }), annotations }),
  );
  const ran = host.run(join(process.cwd(), 'bin/tslab-oci'), 'run', '--bundle', bundle, 'x');
  expect(ran.stderr).toMatch(/annotations\[org\.tslab\.overlay\.lower\]/);
  expect(ran.status).not.toBe(0);
});

test('on a bridge, its own address stands in its own hosts file', async (ctx) => {
  ctx.skip(!translatesAddresses, NO_TRANSLATION);
  host.image('app');
  await using network = new HostNetwork();
  const enter = host.prefix();
  const [first = '', ...rest] = [...network.enter, ...enter, join(process.cwd(), 'bin/tslab')];
  const script = 'ip -4 -o address show eth0; cat /etc/hosts; grep -c " /etc" /proc/self/mountinfo';
  const words = ['run', '--rm', '--network', 'bridge', '--hostname', 'box', 'app', 'sh', '-c', script];
  const { stdout } = spawnSync(first, [...rest, ...words], { encoding: 'utf8' });
  const address = /inet ([\d.]+)/.exec(stdout)?.[1] ?? 'none';
  expect(stdout).toContain(`${address}\tbox\n`);
  expect(stdout).toMatch(/\n0\n$/); // files of the root itself, nothing mounted on them
});

test('imported, run, committed, run again, and what is in use is not pruned', () => {
  const tree = join(host.folder, 'tree');
  expect(host.tslab('rootfs', tree).status).toBe(0);
  expect(host.tslab('image', 'import', '-c', 'CMD ["cat", "/note"]', tree, 'base').status).toBe(0);
  const script = 'echo noted > /note; rm /bin/wc; rm -r /home; mkdir /home';
  host.tslab('run', '-d', '--name', 'one', 'base', 'sh', '-c', script);
  expect(host.tslab('wait', 'one').stdout).toBe('0\n');
  expect(host.tslab('image', 'commit', 'one', 'made').status).toBe(0);
  expect(host.tslab('run', '--rm', 'made').stdout).toBe('noted\n');
  const look = 'ls /bin/wc /home/tslab; ls -a /home /etc/hosts';
  const { stdout, stderr } = host.tslab('run', '--rm', 'made', 'sh', '-c', look);
  expect(stderr).toMatch(/wc: No such file[\s\S]*tslab: No such file/);
  expect(stdout).toMatch(/\/etc\/hosts/);

  for (const name of ['base', 'made']) host.tslab('image', 'rm', name);
  host.tslab('image', 'prune');
  expect(host.tslab('start', 'one').status).toBe(0); // its layers are still there
  host.tslab('wait', 'one');
  host.tslab('rm', 'one');
  host.tslab('image', 'prune');
  expect(existsSync(host.store.layers)).toBe(false);
});
