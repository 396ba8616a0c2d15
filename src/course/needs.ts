/** What a scene may need and not every host has: then the learner is shown its text alone, and told why. */
import { existsSync } from 'node:fs';
import { inUserNamespace, spareIds } from '../facts/userns.ts';
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
  time: {
    met: () => existsSync('/proc/self/ns/time'),
    why: {
      en: 'This kernel has no time namespaces (Linux 5.6, CONFIG_TIME_NS), so it is not played.',
      zh: '这个内核没有时间命名空间（Linux 5.6，CONFIG_TIME_NS），所以不演示。',
    },
  },
} satisfies Record<string, Need>;

/** The words in a scene's first line. */
export type NeedName = keyof typeof needs;

/** Why the scene can't be played here; undefined if it can. */
export function lacking(scene: Scene): Text | undefined {
  const lack = scene.needs.find((name) => !needs[name].met());
  return lack && needs[lack].why;
}
