/** What the kernel shows, from outside, of containers that stand on layers. */
import { join } from 'node:path';
import {
  type Check,
  fail,
  type Lab,
  type Outcome,
  pass,
  type Running,
  skip,
} from '../../src/course/check.ts';
import { changedMounts, obeying, order, random, randomInt } from '../../src/course/probes.ts';
import { mountinfo } from '../../src/evidence/mountinfo.ts';
import { holdsUpper } from '../../src/facts/overlay.ts';
import { LOWER_ANNOTATION, UPPER_ANNOTATION, WORK_ANNOTATION } from '../../src/oci/annotations.ts';
import type { Spec } from '../../src/oci/spec.ts';

/** The layers of an image, made up for one check: each has a file `word` of its own, and one that only it has. */
interface Image {
  layers: { folder: string; word: string; only: string }[];
  /** The lowest, with the programs; the first container's own root folder. */
  base?: string;
}

function image(lab: Lab, count = randomInt(3, 6)): Image {
  const layers = Array.from({ length: count }, () => {
    const layer = { folder: lab.folder(), word: random(), only: random() };
    lab.write(join(layer.folder, 'word'), `${layer.word}\n`);
    lab.write(join(layer.folder, layer.only), '');
    return layer;
  });
  return { layers };
}

interface Stacked {
  container: Running;
  /** Where what it changes has to be. */
  upper: string;
}

/** A container of these layers, whose shell obeys; or the outcome if there is none. */
async function stacked(lab: Lab, image: Image, changes = true): Promise<Stacked | Outcome> {
  const [upper, work, place] = [lab.folder(), lab.folder(), lab.folder()];
  if (!holdsUpper(upper))
    return skip({
      en: `${upper} can’t hold an upper layer (Linux 5.11, for ordinary users 6.6; no overlay, no NFS)`,
      zh: `${upper} 放不了 upper 层（需要 Linux 5.11，普通用户需要 6.6；不能在 overlay 或 NFS 上）`,
    });
  const container = await obeying(lab, (spec: Spec) => {
    image.base ??= spec.root?.path ?? '';
    const lower = [image.base, ...image.layers.map(({ folder }) => folder)];
    spec.root = { ...spec.root, path: place };
    spec.annotations = {
      ...spec.annotations,
      [LOWER_ANNOTATION]: JSON.stringify(lower),
      ...(changes ? { [UPPER_ANNOTATION]: upper, [WORK_ANNOTATION]: work } : {}),
    };
  });
  return 'outcome' in container ? container : { container, upper };
}

const root = ({ pid }: Running) => mountinfo(pid).filter(({ at }) => at === '/');
const shown = (text: string | undefined) => text?.trim() || 'nothing';

/** Layers that no longer are what they were, a line each. */
const spoiled = (lab: Lab, { layers }: Image) =>
  layers.flatMap(({ folder, word }) => {
    const now = lab.read(join(folder, 'word'));
    return now === `${word}\n` ? [] : [`${folder}/word: ${shown(now)}`];
  });

export const checks: Check[] = [
  {
    id: 'overlay',
    title: { en: 'Its / is an overlay', zh: '它的 / 是一个 overlay' },
    why: {
      en: 'One folder of files for all containers of an image, and nothing copied.',
      zh: '一个镜像的所有容器共用一份文件，什么也不复制。',
    },
    look: { en: 'grep " / " /proc/<pid>/mountinfo', zh: 'grep " / " /proc/<pid>/mountinfo' },
    async run(lab) {
      const stack = await stacked(lab, image(lab));
      if ('outcome' in stack) return stack;
      const roots = root(stack.container);
      if (roots.some(({ type }) => type === 'overlay')) return pass();
      return fail(
        { en: 'a mount of type overlay at /', zh: '/ 处有一个 overlay 类型的挂载' },
        roots.map(({ at, type, source }) => `${at} ${type} ${source}`).join('\n') || 'no mount at /',
      );
    },
  },
  {
    id: 'order',
    title: { en: 'The upper layer hides the lower ones', zh: '上面的层盖住下面的层' },
    why: {
      en: 'Each layer of an image is a change of those below. In the wrong order, the oldest version of a file wins.',
      zh: '镜像的每一层都是对下面各层的修改。顺序反了，赢的就是最旧的版本。',
    },
    look: {
      en: 'mount(8), "overlay", lowerdir; the scene "order"',
      zh: 'mount(8) 的 “overlay” 一节，lowerdir；“order” 那一幕',
    },
    async run(lab) {
      const made = image(lab);
      const stack = await stacked(lab, made);
      if ('outcome' in stack) return stack;
      const names = made.layers.map(({ only }) => only);
      const said = await order(stack.container, `cat /word; ls ${names.map((name) => `/${name}`).join(' ')}`);
      const word = made.layers.at(-1)?.word ?? '';
      const all = names.every((name) => said.includes(`/${name}\n`) && !said.includes(`${name}:`));
      if (said.startsWith(`${word}\n`) && all) return pass();
      const which = made.layers.findIndex((layer) => said.startsWith(layer.word)) + 1;
      return fail(
        {
          en: `/word of the last of ${names.length} layers, ${word}; and the files that only one layer has`,
          zh: `/word 来自 ${names.length} 层中的最后一层，即 ${word}；以及各层独有的文件`,
        },
        `${which > 0 ? `/word of layer ${which}\n` : ''}${said}`,
      );
    },
  },
  {
    id: 'copy-up',
    title: {
      en: 'What it changes is in upper, whole; the layers stay',
      zh: '修改的文件整个在 upper 里，各层不变',
    },
    why: {
      en: 'A layer that one container can change is changed for all of them.',
      zh: '一个容器能改的层，改了就是替所有容器改的。',
    },
    look: {
      en: 'the folder upper, and each lower one; overlayfs.rst, "Non-directories"',
      zh: 'upper 目录和每个 lower 目录；overlayfs.rst 的 “Non-directories”',
    },
    async run(lab) {
      const [made, more, name] = [image(lab), random(), random()];
      const stack = await stacked(lab, made);
      if ('outcome' in stack) return stack;
      const said = await order(stack.container, `echo ${more} >>/word; echo ${more} >/${name}`);
      const [changed, created] = ['word', name].map((file) => lab.read(join(stack.upper, file)));
      const whole = made.layers.some(({ word }) => changed === `${word}\n${more}\n`);
      const bad = spoiled(lab, made);
      if (whole && created === `${more}\n` && bad.length === 0) return pass();
      return fail(
        {
          en: `upper/word with two lines, the old one and ${more}; upper/${name}; and no layer changed`,
          zh: `upper/word 有两行：原来的一行和 ${more}；upper/${name}；各层没有变化`,
        },
        [`upper/word: ${shown(changed)}`, `upper/${name}: ${shown(created)}`, ...bad, said].join('\n').trim(),
      );
    },
  },
  {
    id: 'whiteout',
    title: { en: 'What it deletes is covered, not deleted', zh: '删除的文件是被盖住，不是被删掉' },
    why: {
      en: 'The file is other containers’ too. So upper says that it is gone, by a device 0:0.',
      zh: '那个文件也是别的容器的。所以 upper 里用一个 0:0 设备来说明它不在了。',
    },
    look: { en: 'ls -l upper; overlayfs.rst, "whiteouts"', zh: 'ls -l upper；overlayfs.rst 的 “whiteouts”' },
    async run(lab) {
      const made = image(lab);
      const stack = await stacked(lab, made);
      if ('outcome' in stack) return stack;
      const said = await order(stack.container, 'rm /word; [ -e /word ] && echo still there');
      const mark = lab.stat(join(stack.upper, 'word'));
      const bad = spoiled(lab, made);
      if (mark?.isCharacterDevice() && mark.rdev === 0 && said === '' && bad.length === 0) return pass();
      const found = !mark ? 'nothing' : mark.isCharacterDevice() ? `a device ${mark.rdev}` : 'a file';
      return fail(
        {
          en: 'upper/word a character device 0:0, no /word inside, and no layer changed',
          zh: 'upper/word 是字符设备 0:0，里面没有 /word，各层没有变化',
        },
        [`upper/word: ${found}`, ...bad, said].join('\n').trim(),
      );
    },
  },
  {
    id: 'opaque',
    title: { en: 'A directory made anew is empty', zh: '删掉重建的目录是空的' },
    why: {
      en: 'Without the mark on it, what the layers have there would come back.',
      zh: '没有目录上的那个标记，各层里的旧内容就会回来。',
    },
    look: {
      en: 'overlayfs.rst, "opaque directories" and "userxattr"',
      zh: 'overlayfs.rst 的 “opaque directories” 和 “userxattr”',
    },
    async run(lab) {
      const made = image(lab);
      const stack = await stacked(lab, made);
      if ('outcome' in stack) return stack;
      const said = await order(stack.container, 'rm -r /etc && mkdir /etc && ls -A /etc | wc -l');
      const kept = made.base !== undefined && lab.stat(join(made.base, 'etc'))?.isDirectory() === true;
      if (said.trim() === '0' && lab.stat(join(stack.upper, 'etc'))?.isDirectory() && kept) return pass();
      return fail(
        {
          en: 'after rm -r /etc && mkdir /etc: 0 entries, and a directory upper/etc',
          zh: 'rm -r /etc && mkdir /etc 之后：0 项，并且有目录 upper/etc',
        },
        said,
      );
    },
  },
  {
    id: 'shared',
    title: { en: 'Many containers, one copy', zh: '容器很多，文件一份' },
    why: {
      en: 'That is the point: a container costs what it changes, not what it stands on.',
      zh: '要的就是这个：一个容器的花费是它改了多少，而不是它脚下有多少。',
    },
    look: { en: 'du -sx of each folder upper', zh: '对每个 upper 目录执行 du -sx' },
    async run(lab) {
      const [made, size] = [image(lab, 2), 1 << 20];
      lab.write(join(made.layers[0]?.folder ?? '', 'big'), 'x'.repeat(size));
      const stacks: Stacked[] = [];
      const words = Array.from({ length: 3 }, random);
      for (const word of words) {
        const stack = await stacked(lab, made);
        if ('outcome' in stack) return stack;
        stacks.push(stack);
        await order(stack.container, `cat /big >/dev/null; echo ${word} >/mine`);
      }
      const said: string[] = [];
      for (const { container } of stacks) said.push(await order(container, 'wc -c </big; cat /mine'));
      const room = stacks.map(({ upper }) => roomIn(lab, upper, ['big', 'mine', 'word']));
      const right = said.every((text, i) => text === `${size}\n${words[i]}\n`);
      if (right && room.every((bytes) => bytes > 0 && bytes < size) && spoiled(lab, made).length === 0)
        return pass();
      return fail(
        {
          en: `three containers of one image: each reads ${size} bytes in /big and its own word in /mine, and its upper has only the latter`,
          zh: `同一个镜像的三个容器：各自从 /big 读到 ${size} 字节，从 /mine 读到自己的词，而 upper 里只有后者`,
        },
        stacks
          .map((_, i) => `upper: ${room[i]} bytes; /big, /mine: ${said[i]?.trim().replace('\n', ', ')}`)
          .join('\n'),
      );
    },
  },
  {
    id: 'read-only',
    title: { en: 'Without upper, nothing can be changed', zh: '没有 upper，就什么也改不了' },
    why: {
      en: 'A config without the two folders asks for just that. A made-up place would lose what is written.',
      zh: '配置里没有这两个目录，要的就是这个。自己编一个地方出来，写进去的就丢了。',
    },
    look: { en: 'overlayfs.rst, "Multiple lower layers"', zh: 'overlayfs.rst 的 “Multiple lower layers”' },
    async run(lab) {
      const made = image(lab);
      const stack = await stacked(lab, made, false);
      if ('outcome' in stack) return stack;
      const said = await order(stack.container, 'cat /word; touch /word && echo written');
      const reads = made.layers.some(({ word }) => said.startsWith(`${word}\n`));
      const bad = spoiled(lab, made);
      if (reads && /read-only/i.test(said) && !said.includes('written') && bad.length === 0) return pass();
      return fail(
        {
          en: 'a word from /word, and for touch /word: Read-only file system',
          zh: '从 /word 读到一个词，而 touch /word 得到 Read-only file system',
        },
        [said, ...bad].join('\n').trim(),
      );
    },
  },
  {
    id: 'host',
    title: { en: 'The host has no mount more', zh: '宿主机没有多出一个挂载' },
    why: {
      en: 'Most hosts have a shared /. What is mounted before the ties are cut turns up there, and stays.',
      zh: '多数宿主机的 / 是共享的。切断联系之前挂载的，会出现在那边，而且留下来。',
    },
    look: {
      en: 'the host’s /proc/self/mountinfo; lesson 2, "The forgotten MS_PRIVATE"',
      zh: '宿主机的 /proc/self/mountinfo；第 2 课的“忘了 MS_PRIVATE”',
    },
    async run(lab) {
      const stack = await stacked(lab, image(lab));
      if ('outcome' in stack) return stack;
      const changed = changedMounts(lab);
      if (changed.length === 0) return pass();
      return fail({ en: 'not a line more, not a line less', zh: '一行不多，一行不少' }, changed.join('\n'));
    },
  },
];

/** As du(1) counts: blocks of 512 bytes, of the files with these names. */
function roomIn(lab: Lab, folder: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + 512 * (lab.stat(join(folder, name))?.blocks ?? 0), 0);
}
