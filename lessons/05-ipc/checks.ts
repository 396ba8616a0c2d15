/** What the kernel shows, from outside, of a container that has IPC objects of its own, or another's. */
import { type Check, fail, pass, skip } from '../../src/course/check.ts';
import { awake, IDLE, obeying, order, ownNamespace, random } from '../../src/course/probes.ts';
import { messageQueues } from '../../src/evidence/ipc.ts';
import { mountinfo } from '../../src/evidence/mountinfo.ts';
import { namespace, status } from '../../src/evidence/process.ts';

const noTools = skip({
  en: 'this host has no nsenter and unshare (package util-linux), which look from outside',
  zh: '宿主机没有 nsenter 和 unshare（软件包 util-linux），无法从外面看',
});

export const checks: Check[] = [
  ownNamespace('ipc', {
    title: { en: 'It has an IPC namespace of its own', zh: '它有自己的 IPC 命名空间' },
    why: {
      en: 'Otherwise it can attach to the host’s shared memory, and remove it.',
      zh: '否则它能连上宿主机的共享内存，也能把它删掉。',
    },
  }),
  {
    id: 'mounted',
    title: {
      en: 'Its message queues are mounted at /dev/mqueue, and nothing twice',
      zh: '它的消息队列挂载在 /dev/mqueue，而且没有重复的挂载',
    },
    why: {
      en: 'Programs open queues by a call; people and scripts see them by this mount only. The other mounts are lesson 2’s.',
      zh: '程序用调用打开队列，人和脚本只能通过这个挂载看到它们。其余的挂载归第 2 课管。',
    },
    look: { en: 'cat /proc/<pid>/mountinfo', zh: 'cat /proc/<pid>/mountinfo' },
    async run(lab) {
      const container = await obeying(lab);
      if ('outcome' in container) return container;
      const found = mountinfo(container.pid);
      const queues = found.filter(({ at, type }) => at === '/dev/mqueue' && type === 'mqueue');
      const twice = found.filter(({ at }, i) => found.findIndex((one) => one.at === at) < i);
      if (queues.length === 1 && twice.length === 0) return pass();
      return fail(
        {
          en: 'one mount of type mqueue at /dev/mqueue, and each place mounted on once',
          zh: '/dev/mqueue 处有一个 mqueue 类型的挂载，并且每个位置只挂载一次',
        },
        found
          .filter(({ at }) => at.startsWith('/dev'))
          .map(({ at, type, source }) => `${at} ${type} ${source}`)
          .join('\n') || 'no mount at /dev or below',
      );
    },
  },
  {
    id: 'queue',
    title: { en: 'A queue made inside is there, and only there', zh: '里面建的队列在里面，而且只在里面' },
    why: {
      en: 'An mqueue mount shows its mounter’s namespace. Mounted too early, it shows the host’s queues.',
      zh: 'mqueue 挂载显示的是挂载者的命名空间。挂得太早，显示的就是宿主机的队列。',
    },
    look: {
      en: 'nsenter --target <pid> --ipc, then mount -t mqueue; mq_overview(7)',
      zh: 'nsenter --target <pid> --ipc，再 mount -t mqueue；mq_overview(7)',
    },
    async run(lab) {
      const container = await obeying(lab);
      if ('outcome' in container) return container;
      const name = random();
      const said = await order(container, `touch /dev/mqueue/${name}`);
      const [inside, outside] = [container.pid, status(container.pid).parent].map(messageQueues);
      if (!inside || !outside) return noTools;
      if (inside.includes(name) && !outside.includes(name)) return pass();
      const list = (queues: string[]) => queues.join(' ') || 'no queue';
      return fail(
        {
          en: `${name} in the container’s IPC namespace, not in the host’s`,
          zh: `${name} 在容器的 IPC 命名空间里，不在宿主机的里`,
        },
        `container: ${list(inside)}; host: ${list(outside)}\n${said}`.trimEnd(),
      );
    },
  },
  {
    id: 'joins',
    title: { en: 'A namespace that the config names is joined', zh: '配置指明的命名空间，它会加入' },
    why: {
      en: 'That is how two containers share memory: a database and its helper, a pod.',
      zh: '两个容器就是这样共享内存的：数据库和它的帮手，或者一个 pod。',
    },
    look: {
      en: 'readlink /proc/<pid>/ns/ipc; setns(2)',
      zh: 'readlink /proc/<pid>/ns/ipc；setns(2)',
    },
    async run(lab) {
      const container = await awake(await lab.startJoined('ipc', ['sh', '-c', IDLE]));
      if ('outcome' in container) return container;
      const { parent } = status(container.pid);
      const [own, parents] = [namespace(container.pid, 'ipc'), namespace(parent, 'ipc')];
      if (own === container.joined) return pass();
      return fail(
        {
          en: `ipc:[${container.joined}], the one at the config’s path`,
          zh: `ipc:[${container.joined}]，即配置里那个路径上的`,
        },
        `ipc:[${own}]${own === parents ? ', which is that of the process that started it' : ', a new one'}`,
      );
    },
  },
];
