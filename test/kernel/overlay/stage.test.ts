/** A root made of layers, judged from outside: mountinfo, the folders on disk, and what is left. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAtLeast } from '../../../src/facts/kernel.ts';
import type { Spec } from '../../../src/index.ts';
import {
  LOWER_ANNOTATION,
  MAP_ROOTFS_ANNOTATION,
  UPPER_ANNOTATION,
  WORK_ANNOTATION,
} from '../../../src/oci/annotations.ts';
import { mountAt, Room } from '../../support/room.ts';

const root = process.getuid?.() === 0;

/** A lowest layer with the default programs, layers above it, and folders for what changes. */
class Stack extends Room {
  readonly layers: string[] = [this.rootfs];
  readonly merged = this.make('merged');
  readonly upper = this.make('container/upper');
  readonly work = this.make('container/work');

  layer(name: string, files: Record<string, string> = {}): string {
    const path = this.make(name);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(path, file, '..'), { recursive: true });
      writeFileSync(join(path, file), text);
    }
    this.layers.push(path);
    return path;
  }

  change =
    (more: (spec: Spec) => void = () => {}) =>
    (spec: Spec): void => {
      spec.root = { path: this.merged };
      spec.annotations = {
        ...spec.annotations,
        [LOWER_ANNOTATION]: JSON.stringify(this.layers),
        [UPPER_ANNOTATION]: this.upper,
        [WORK_ANNOTATION]: this.work,
      };
      more(spec);
    };
}

/** What a tree holds, down to times and owners. */
function fingerprint(folder: string): string {
  const script =
    'find . -printf "%p %y %m %U %G %s %T@ %l %n %i\\n" | sort; find . -type f | sort | xargs md5sum';
  return execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
}

test('the upper layer hides the lower one, and takes what is written', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  stack.layer('a', { 'etc/who': 'a', only: 'a' });
  stack.layer('b', { 'etc/who': 'b' });
  const before = stack.layers.map(fingerprint);
  const script =
    'cat /etc/who /only; echo new > /etc/new; echo more >> /only; rm /bin/ls; rm -r /var; mkdir /var; rm /etc/who';
  expect(await stack.say(script, stack.change())).toBe('ba');

  expect(readFileSync(join(stack.upper, 'etc/new'), 'utf8')).toBe('new\n');
  expect(readFileSync(join(stack.upper, 'only'), 'utf8')).toBe('amore\n'); // copied up whole
  for (const gone of ['bin/ls', 'etc/who']) {
    // overlayfs.rst, "whiteouts and opaque directories": a character device 0/0
    const stat = lstatSync(join(stack.upper, gone));
    expect([stat.isCharacterDevice(), stat.rdev]).toEqual([true, 0]);
  }
  expect(readdirSync(join(stack.upper, 'var'))).toEqual([]);
  const opaque = execFileSync('getfattr', ['-n', 'trusted.overlay.opaque', '--only-values', 'var'], {
    cwd: stack.upper,
    encoding: 'utf8',
  });
  expect(opaque).toBe('y');
  expect(stack.layers.map(fingerprint)).toEqual(before);
});

test('what the kernel shows of it inside, and nothing of it on the host', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  stack.layer('a');
  const own = readFileSync('/proc/self/mountinfo', 'utf8');
  const container = await stack.begin(stack.change());
  const mount = mountAt(container, '/');
  expect(mount).toMatchObject({ type: 'overlay', propagation: [] });
  const [line] = readFileSync(`/proc/${container.pid}/mountinfo`, 'utf8').split('\n');
  expect(line).toMatch(/redirect_dir=nofollow/);
  expect(line).not.toMatch(/metacopy=on|index=on|volatile|userxattr/);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(own);
  expect(readdirSync(stack.merged)).toEqual([]);
});

test('two containers share the lower layers and nothing else', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  await using other = new Stack();
  other.layers.splice(0, 1, ...stack.layers);
  stack.layer('a');
  other.layers.push(stack.layers[1] ?? '');
  const [one, two] = [await stack.begin(stack.change()), await other.begin(other.change())];
  writeFileSync(`/proc/${one.pid}/root/etc/mine`, '');
  expect(existsSync(`/proc/${two.pid}/root/etc/mine`)).toBe(false);
});

test('a hundred layers, in their order', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  for (let i = 0; i < 100; i++)
    stack.layer(`layer-${i}-${'x'.repeat(60)}`, { top: String(i), [`f/${i}`]: '' });
  expect(await stack.say('cat /top; ls /f | wc -l', stack.change())).toBe('99100\n');
});

test('folders whose names are full of separators', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  const odd = 'a,b:c\\d\\,e "f\' =\n\u{1f4e6}';
  stack.layer(`${odd}/1`, { one: '1' });
  stack.layer(`${odd}/:2`, { two: '2' });
  const above = stack.make(`${odd}/container`);
  for (const name of ['upper', 'work'])
    renameSync(join(stack.folder, 'container', name), join(above, `${name},:\\`));
  const change = stack.change((spec) =>
    Object.assign(spec.annotations ?? {}, {
      [UPPER_ANNOTATION]: join(above, 'upper,:\\'),
      [WORK_ANNOTATION]: join(above, 'work,:\\'),
    }),
  );
  expect(await stack.say('cat /one /two; echo x > /x', change)).toBe('12');
  expect(readdirSync(join(above, 'upper,:\\'))).toEqual(['x']);
});

test('a layer by a symlink, and one whose own symlinks lead out', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  const layer = stack.layer('a');
  symlinkSync('/etc', join(layer, 'out'));
  symlinkSync('a', join(stack.folder, 'link'));
  stack.layers[1] = join(stack.folder, 'link');
  expect(await stack.say('echo x > /out/inside; cat /etc/inside', stack.change())).toBe('x\n');
  expect(existsSync('/etc/inside')).toBe(false);
});

test('without an upper folder nothing can be changed', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  stack.layer('a');
  const change = stack.change((spec) => {
    delete spec.annotations?.[UPPER_ANNOTATION];
    delete spec.annotations?.[WORK_ANNOTATION];
  });
  expect(await stack.say('touch /x', change)).toMatch(/Read-only file system/);
});

test('another user namespace sees the layers as its own, and upper keeps plain numbers', async (ctx) => {
  ctx.skip(!root, 'needs root');
  const { release } = await import('node:os');
  ctx.skip(!isAtLeast(release(), 6, 15), 'this kernel maps no layers that are mounted nowhere');
  await using stack = new Stack();
  const layer = stack.layer('a', { mine: '', sub: '' });
  execFileSync('chown', ['1000:1000', join(layer, 'sub')]);
  chmodSync(stack.folder, 0o700);
  const change = stack.change((spec) => {
    const map = [{ containerID: 0, hostID: 700_000, size: 65_536 }];
    spec.linux = {
      ...spec.linux,
      namespaces: [...(spec.linux?.namespaces ?? []), { type: 'user' }],
      uidMappings: map,
      gidMappings: map,
    };
    Object.assign(spec.annotations ?? {}, { [MAP_ROOTFS_ANNOTATION]: 'true' });
  });
  const script = 'stat -c "%u %n" /mine /sub; echo x > /new; echo x >> /mine; chown 5:5 /sub; sleep 0';
  expect(await stack.say(script, change)).toBe('0 /mine\n1000 /sub\n');
  const owner = (path: string) => statSync(path).uid;
  expect(['new', 'mine', 'sub'].map((name) => owner(join(stack.upper, name)))).toEqual([0, 0, 5]);
  expect(owner(join(layer, 'sub'))).toBe(1000);
});

test('a working directory that the layers lack is made', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  stack.layer('a');
  const change = stack.change((spec) => {
    if (spec.process) spec.process.cwd = '/srv/app/deep';
  });
  expect(await stack.say('pwd', change)).toBe('/srv/app/deep\n');
  expect(statSync(join(stack.upper, 'srv/app/deep')).isDirectory()).toBe(true);
});

test('what the kernel dislikes, it says itself', async (ctx) => {
  ctx.skip(!root, 'needs root');
  await using stack = new Stack();
  stack.layer('a');
  const change = stack.change((spec) =>
    Object.assign(spec.annotations ?? {}, { [WORK_ANNOTATION]: join(stack.upper, '..') }),
  );
  expect((await stack.refusal(change)).message).toMatch(/annotations\[org\.tslab\.overlay/);
  expect(
    (
      await stack.refusal(
        stack.change((spec) => {
          Object.assign(spec.annotations ?? {}, {
            [LOWER_ANNOTATION]: JSON.stringify(['/nonexistent', stack.rootfs]),
          });
        }),
      )
    ).message,
  ).toMatch(/nonexistent.*ENOENT.*annotations\[org\.tslab\.overlay\.lower\]/s);
});
