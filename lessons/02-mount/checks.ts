/** What the kernel shows, from outside, of a container that stands on a tree of its own. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, fail, pass, skip } from '../../src/course/check.ts';
import { changedMounts, obeying, order, ownNamespace, random } from '../../src/course/probes.ts';
import { type MountEntry, mountinfo, parseMountinfo } from '../../src/evidence/mountinfo.ts';
import { NO_NSENTER, tryEscape, WRONG_ROOT } from '../01-chroot/escape.ts';

const same = (a: MountEntry, b: MountEntry) => a.device === b.device && a.root === b.root;
const show = (entries: readonly MountEntry[]) =>
  entries
    .map(({ at, type, root, source, options }) => `${at} ${type} ${source} ${root} ${options}`)
    .join('\n') || 'no such mount';

export const checks: Check[] = [
  ownNamespace('mnt', {
    title: { en: 'It has a mount namespace of its own', zh: '它有自己的挂载命名空间' },
    why: {
      en: 'Without one, every mount that it makes is a mount of the host.',
      zh: '没有它，容器做的每一次挂载都是宿主机的挂载。',
    },
  }),
  {
    id: 'root',
    title: { en: 'Its / is the root folder, as a mount', zh: '它的 / 是那个根目录，而且是一个挂载' },
    why: {
      en: 'What stands at the root of the namespace is what nobody in it can climb above.',
      zh: '命名空间的根上放着什么，里面的人就最多只能爬到哪里。',
    },
    look: {
      en: 'grep " / " /proc/<pid>/mountinfo; pivot_root(2)',
      zh: 'grep " / " /proc/<pid>/mountinfo；pivot_root(2)',
    },
    async run(lab) {
      const container = await obeying(lab);
      if ('outcome' in container) return container;
      const [folder, root] = [statSync(container.rootfs), statSync(`/proc/${container.pid}/root/`)];
      const roots = mountinfo(container.pid).filter(({ at }) => at === '/');
      if (folder.dev === root.dev && folder.ino === root.ino && roots.length > 0) return pass();
      return fail(
        { en: `a mount at /, of ${container.rootfs}`, zh: `/ 处有一个挂载，内容是 ${container.rootfs}` },
        show(roots),
      );
    },
  },
  {
    id: 'old-root',
    title: { en: 'The host’s root is off its list', zh: '宿主机的根已不在它的列表里' },
    why: {
      en: 'As long as the old root is mounted somewhere in there, the host is one cd away.',
      zh: '只要旧根还挂在里面的某处，离宿主机就只有一个 cd 的距离。',
    },
    look: {
      en: 'cat /proc/<pid>/mountinfo; umount2(2), MNT_DETACH',
      zh: 'cat /proc/<pid>/mountinfo；umount2(2) 的 MNT_DETACH',
    },
    async run(lab) {
      const container = await obeying(lab);
      if ('outcome' in container) return container;
      const hosts = parseMountinfo(lab.host.mountinfo()).filter(({ at }) => at === '/');
      const left = mountinfo(container.pid).filter((entry) => hosts.some((host) => same(host, entry)));
      if (left.length === 0) return pass();
      return fail(
        { en: 'no mount of what the host has at /', zh: '没有哪个挂载是宿主机 / 的内容' },
        show(left),
      );
    },
  },
  {
    id: 'escape',
    title: { en: 'The way out of lesson 1 leads nowhere', zh: '第 1 课的逃法走不通了' },
    why: {
      en: 'This is what pivot_root is for: there is nothing above the root any more.',
      zh: 'pivot_root 就是为了这个：根的上面什么也没有了。',
    },
    look: {
      en: '"Break" in lessons 1 and 2; path_resolution(7)',
      zh: '第 1、2 课的“突破”；path_resolution(7)',
    },
    async run(lab) {
      const { missed, status, secret, said } = await tryEscape(lab);
      if (status === NO_NSENTER)
        return skip({ en: 'the root folder has no nsenter', zh: '根目录里没有 nsenter' });
      if (missed) return pass();
      return fail(
        {
          en: `a process inside tries to read ${secret}, and can't`,
          zh: `容器里的进程试着读 ${secret}，读不到`,
        },
        status === WRONG_ROOT ? 'its root is not that folder, so nothing was tried' : said,
      );
    },
  },
  {
    id: 'host',
    title: { en: 'The host’s list of mounts is what it was', zh: '宿主机的挂载列表原封不动' },
    why: {
      en: 'Most hosts have a shared /. With ties left uncut, what the container mounts turns up there.',
      zh: '多数宿主机的 / 是共享的。联系不切断，容器挂载的东西就会出现在那边。',
    },
    look: {
      en: 'the host’s /proc/self/mountinfo; mount_namespaces(7), "Shared subtrees"',
      zh: '宿主机的 /proc/self/mountinfo；mount_namespaces(7) 的 “Shared subtrees”',
    },
    async run(lab) {
      const container = await obeying(lab);
      if ('outcome' in container) return container;
      const name = random();
      const said = await order(container, `mount -t tmpfs ${name} /mnt`);
      const inside = mountinfo(container.pid).some(({ source }) => source === name);
      if (!inside) return fail({ en: `a mount ${name} inside`, zh: `里面有挂载 ${name}` }, said);
      const changed = changedMounts(lab);
      if (changed.length === 0) return pass();
      return fail({ en: 'not a line more, not a line less', zh: '一行不多，一行不少' }, changed.join('\n'));
    },
  },
  {
    id: 'mounts',
    title: { en: 'What the config wants mounted is there', zh: '配置要求的挂载都在' },
    why: {
      en: 'Programs expect /proc and /dev. Mounted too early or too late, they end up below the wrong root.',
      zh: '程序需要 /proc 和 /dev。挂得太早或太晚，就会落到错误的根下面。',
    },
    look: { en: 'cat /proc/<pid>/mountinfo', zh: 'cat /proc/<pid>/mountinfo' },
    async run(lab) {
      const wanted: { at: string; type: string }[] = [];
      const container = await obeying(lab, (spec) => {
        for (const { destination, type } of spec.mounts ?? [])
          if (type) wanted.push({ at: destination, type });
      });
      if ('outcome' in container) return container;
      const entries = mountinfo(container.pid);
      const missing = wanted.filter(
        ({ at, type }) => !entries.some((entry) => entry.at === at && entry.type === type),
      );
      const device = `/proc/${container.pid}/root/dev/null`;
      if (missing.length === 0 && statSync(device, { throwIfNoEntry: false })?.isCharacterDevice())
        return pass();
      const list = wanted.map(({ at, type }) => `${type} ${at}`).join(', ');
      return fail(
        { en: `${list}; and a device /dev/null`, zh: `${list}；以及设备 /dev/null` },
        show(entries),
      );
    },
  },
  {
    id: 'volume',
    title: { en: 'A volume is one folder on both sides', zh: '卷在两边是同一个目录' },
    why: {
      en: 'Data that has to outlive the container lives in a folder of the host, bound in before the pivot.',
      zh: '要比容器活得久的数据放在宿主机的目录里，在换根之前绑定进来。',
    },
    look: { en: 'mount(2), MS_BIND', zh: 'mount(2) 的 MS_BIND' },
    async run(lab) {
      const [told, answer] = [random(), random()];
      const folder = lab.folder();
      lab.write(join(folder, 'told'), `${told}\n`);
      const container = await obeying(lab, (spec) => {
        const options = ['rbind', 'rw'];
        spec.mounts?.push({ destination: '/volume', type: 'bind', source: folder, options });
      });
      if ('outcome' in container) return container;
      const said = await order(container, `cat /volume/told; echo ${answer} >/volume/answer`);
      const heard = lab.read(join(folder, 'answer'))?.trim() ?? 'nothing';
      if (said.includes(told) && heard === answer) return pass();
      return fail(
        {
          en: `${told} read inside, ${answer} read on the host`,
          zh: `里面读到 ${told}，宿主机读到 ${answer}`,
        },
        `${said}on the host: ${heard}`,
      );
    },
  },
  {
    id: 'read-only',
    title: { en: 'A read-only root can’t be written to, from inside', zh: '只读的根在里面写不了' },
    why: {
      en: 'A program that can’t change its own files can’t be made to. And many containers may share them.',
      zh: '改不了自己文件的程序，也就没人能借它去改；而且许多容器可以共用这些文件。',
    },
    look: {
      en: 'grep " / " /proc/<pid>/mountinfo; mount(2), "Remounting an existing mount"',
      zh: 'grep " / " /proc/<pid>/mountinfo；mount(2) 的 “Remounting an existing mount”',
    },
    async run(lab) {
      const container = await obeying(lab, (spec) => {
        if (spec.root) spec.root.readonly = true;
      });
      if ('outcome' in container) return container;
      const [inside, outside] = [random(), random()];
      const said = await order(container, `touch /${inside}`);
      const written = lab.read(join(container.rootfs, inside)) !== undefined;
      const entry = mountinfo(container.pid).filter(({ at }) => at === '/');
      // Read-only is the mount, not the disk: the host can still write there. If it can't, that throws EROFS.
      lab.write(join(container.rootfs, outside), '');
      if (!written && entry.at(-1)?.options.includes('ro')) return pass();
      return fail(
        { en: '"ro" among the options of /, and no new file', zh: '/ 的选项里有 “ro”，并且没有新文件' },
        `${show(entry)}\n${said}`,
      );
    },
  },
];
