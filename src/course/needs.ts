/** What a scene may need and not every host has: then the learner is shown its text alone, and told why. */
import { existsSync } from 'node:fs';
import { holdsUpper } from '../facts/overlay.ts';
import { probe } from '../facts/probe.ts';
import { inUserNamespace, spareIds } from '../facts/userns.ts';
import { dataFolder } from '../runtime/folders.ts';
import { versionOf } from '../steps/cgroup/resources.ts';
import type { Text } from './check.ts';
import type { Scene } from './lesson.ts';

interface Need {
  met(): boolean;
  why: Text;
}

export const needs = {
  /** Where the kernel asks for the host's root, and we are root of a learner's namespace (own-namespace.ts). */
  root: {
    met: () => !inUserNamespace(),
    why: {
      en: 'The kernel lets only the host’s own root do this, so it is not played. With sudo, it is.',
      zh: '内核只允许主机真正的 root 做这件事，所以这里不演示。用 sudo 运行就能看到。',
    },
  },
  ids: {
    met: () => spareIds('uid') !== undefined && spareIds('gid') !== undefined,
    why: {
      en: 'This takes ids besides your own, and /etc/subuid gives you none, so it is not played. With sudo, it is.',
      zh: '这里要用到你自己以外的 id，而 /etc/subuid 没有分给你，所以不演示。用 sudo 运行就能看到。',
    },
  },
  cgroups: {
    met: () => has('cpu', 'memory', 'pids'),
    why: {
      en: 'This makes cgroups. It takes the host’s own root, and controllers for cpu, memory and pids; so it is not played.',
      zh: '这里要建 cgroup，需要主机真正的 root，以及 cpu、memory、pids 三个控制器，所以不演示。',
    },
  },
  cpuset: {
    met: () => has('cpuset'),
    why: {
      en: 'This takes the host’s own root and a kernel with cpusets, so it is not played.',
      zh: '这里需要主机真正的 root 和支持 cpuset 的内核，所以不演示。',
    },
  },
  time: {
    met: () => existsSync('/proc/self/ns/time'),
    why: {
      en: 'This kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS), so it is not played.',
      zh: '这个内核没有时间命名空间（Linux 5.6，CONFIG_TIME_NS），所以不演示。',
    },
  },
  layers: {
    met: () => holdsUpper(dataFolder),
    why: {
      en: `This takes a kernel and a disk that can hold layers (Linux 5.11; for ordinary users 6.6; ${dataFolder} on neither overlay nor NFS), so it is not played.`,
      zh: `这里要求内核和磁盘放得下层（Linux 5.11；普通用户要 6.6；${dataFolder} 不能在 overlay 或 NFS 上），所以不演示。`,
    },
  },
} satisfies Record<string, Need>;

/** Whether we are the host's root and may make cgroups with these controllers. */
function has(...controllers: string[]): boolean {
  const { cgroup } = probe();
  return (
    !inUserNamespace() &&
    cgroup.writable &&
    controllers.every((name) => versionOf(name, cgroup) !== undefined)
  );
}

/** The words in a scene's first line. */
export type NeedName = keyof typeof needs;

/** Why the scene can't be played here; undefined if it can. */
export function lacking(scene: Scene): Text | undefined {
  const lack = scene.needs.find((name) => !needs[name].met());
  return lack && needs[lack].why;
}
