/** Where the process stands, read from outside: its two links in /proc, and what it can read by which path. */
import { readlinkSync, statSync } from 'node:fs';
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
import { random, ready, secretBeside } from '../../src/course/probes.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { NO_NSENTER, tryEscape, WRONG_ROOT } from './escape.ts';

const waiting = (lab: Lab, change?: (spec: Spec) => void) => ready(lab, 'echo "ready"; read line', change);

/** Whether the magic link `/proc/<pid>/…` leads to that directory; compared by device and inode, not by name. */
function leadsTo(link: string, directory: string): boolean {
  const [a, b] = [statSync(link), statSync(directory)];
  return a.dev === b.dev && a.ino === b.ino;
}

async function standsOn(container: Running | Outcome, link: string, below: string): Promise<Outcome> {
  if ('outcome' in container) return container;
  const path = `/proc/${container.pid}/${link}`;
  const directory = join(container.rootfs, below);
  if (leadsTo(path, directory)) return pass();
  return fail(
    { en: `${path} leads to ${directory}`, zh: `${path} 通向 ${directory}` },
    `${path} -> ${readlinkSync(path)}`,
  );
}

export const checks: Check[] = [
  {
    id: 'root',
    title: { en: 'The folder that the config names is its root', zh: 'config 指定的目录就是它的根' },
    why: {
      en: 'All paths that begin with / are walked from here. With another root it is another system.',
      zh: '所有以 / 开头的路径都从这里出发。根不同，就是另一个系统。',
    },
    look: {
      en: 'readlink /proc/<pid>/root; proc_pid_root(5)',
      zh: 'readlink /proc/<pid>/root；proc_pid_root(5)',
    },
    run: async (lab) => standsOn(await waiting(lab), 'root', '/'),
  },
  {
    id: 'cwd',
    title: { en: 'Its working directory is inside', zh: '它的工作目录也在里面' },
    why: {
      en: 'chroot(2) does not move the working directory. One that stays outside is an open door.',
      zh: 'chroot(2) 不会移动工作目录。工作目录留在外面，就是一扇开着的门。',
    },
    look: { en: 'readlink /proc/<pid>/cwd; chroot(2)', zh: 'readlink /proc/<pid>/cwd；chroot(2)' },
    async run(lab) {
      const usual = await standsOn(await waiting(lab), 'cwd', '/');
      if (usual.outcome !== 'pass') return usual;
      const chosen = await waiting(lab, (spec) => {
        if (spec.process) spec.process.cwd = '/var/log';
      });
      return standsOn(chosen, 'cwd', '/var/log');
    },
  },
  {
    id: 'files',
    title: {
      en: 'It reads its own files by path, and not the host’s',
      zh: '按路径读得到自己的文件，读不到宿主机的',
    },
    why: {
      en: 'This is what a root is for: the same path means another file inside.',
      zh: '这就是根的用处：同一个路径，在里面指的是另一个文件。',
    },
    look: { en: 'path_resolution(7)', zh: 'path_resolution(7)' },
    async run(lab) {
      const container = await lab.start(['sh', '-c', 'while read -r file; do cat "$file"; echo "end"; done']);
      const [name, inside] = [random(), random()];
      lab.write(join(container.rootfs, name), `${inside}\n`);
      const secret = secretBeside(lab, container, name);
      container.stdin.write(`/${name}\n${secret.file}\n`);
      await container.waitFor(/^end\n(.*\n)*end$/m);
      const shown = `${container.stdout()}${container.stderr()}`;
      if (shown.includes(inside) && !shown.includes(secret.text)) return pass();
      return fail(
        {
          en: `inside, /${name} can be read, and ${secret.file} can't`,
          zh: `在容器里，/${name} 读得到，${secret.file} 读不到`,
        },
        shown,
      );
    },
  },
  {
    id: 'escape',
    title: { en: 'Root can walk out, as from any chroot', zh: 'root 能走出去，任何 chroot 都一样' },
    why: {
      en: 'A changed root is no wall. Seeing it fail is the reason for lesson 2, where this must stop working.',
      zh: '换了根并不等于砌了墙。亲眼看到它失守，才明白为什么要有第 2 课；到那里这一招必须失灵。',
    },
    look: {
      en: '"Break" in the lesson; chroot(2), NOTES on "..", nsenter(1)',
      zh: '这一课的“突破”；chroot(2)、nsenter(1)',
    },
    async run(lab) {
      const { got, status, secret, said } = await tryEscape(lab);
      if (got) return pass();
      if (status === NO_NSENTER)
        return skip({ en: 'the root folder has no nsenter', zh: '根目录里没有 nsenter' });
      return fail(
        { en: `a process inside gets to read ${secret}`, zh: `容器里的进程能读到 ${secret}` },
        status === WRONG_ROOT ? 'its root is not that folder, so nothing was tried' : said,
      );
    },
  },
];
