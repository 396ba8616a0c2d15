/** What the host's cgroup tree shows of a container that has limits, and what becomes of one that wants more. */
import {
  type Check,
  fail,
  type Lab,
  type Outcome,
  pass,
  type Running,
  skip,
} from '../../src/course/check.ts';
import {
  eventually,
  IDLE,
  obeying,
  order,
  ownNamespace,
  random,
  randomInt,
  ready,
} from '../../src/course/probes.ts';
import { timeScale } from '../../src/course/scale.ts';
import {
  cgroupPaths,
  cgroupPathsInside,
  directoryOf,
  keyed,
  oomKills,
  swapSpace,
  text,
} from '../../src/evidence/cgroup.ts';
import { namespace, residents, status, statusOf } from '../../src/evidence/process.ts';
import type { Resources, Spec } from '../../src/oci/spec.ts';

const MIB = 1 << 20;
const PERIOD = 100_000;

const noCgroups = skip({
  en: 'nobody may make cgroups here but the host’s root, or who was given a v2 subtree',
  zh: '这里只有宿主机的 root，或者得到了 v2 子树的用户，才能建 cgroup',
});

/** What memory has no room for goes to the swap space then. */
const noSwapLimit = skip({
  en: 'this host has swap space, and its kernel does not limit it (swapaccount=1)',
  zh: '宿主机有交换空间，而内核不限制它（swapaccount=1）',
});

/** Undefined if the host has all of these to give. */
function lacks(lab: Lab, ...controllers: string[]): Outcome | undefined {
  if (lab.controllers.length === 0) return noCgroups;
  const lacking = controllers.filter((name) => !lab.controllers.includes(name)).join(', ');
  return lacking === ''
    ? undefined
    : skip({
        en: `this host has no controller ${lacking} for it`,
        zh: `宿主机给不出 ${lacking} 控制器`,
      });
}

const called = (name: string) => (spec: Spec) => {
  spec.linux = { ...spec.linux, cgroupsPath: `/${name}` };
};

const limited = (resources: Resources) => (spec: Spec) => {
  spec.linux = { ...spec.linux, resources };
};

/** Its cgroup in each tree that there is: the directories, each once. */
const directories = (pid: number, lab: Lab): string[] => [
  ...new Set([...lab.controllers, ''].flatMap((name) => directoryOf(pid, name) ?? [])),
];

const file = (pid: number, controller: string, name: string) => text(directoryOf(pid, controller), name);

/** What each version calls the limit, and what is to stand there. */
const limitFile = (controller: string, v1: boolean, { memory, pids, cpu }: Resources): [string, string] => {
  if (controller === 'memory') return [v1 ? 'memory.limit_in_bytes' : 'memory.max', `${memory?.limit}`];
  if (controller === 'pids') return ['pids.max', `${pids?.limit}`];
  return v1 ? ['cpu.cfs_quota_us', `${cpu?.quota}`] : ['cpu.max', `${cpu?.quota} ${cpu?.period}`];
};

/** Lines such as `pids.max 23`: as they should be, and as they are. */
function limitLines(pid: number, resources: Resources): { wanted: string[]; found: string[] } {
  const paths = cgroupPaths(pid);
  const rows = Object.keys(resources).map((controller) => {
    const [name, value] = limitFile(controller, controller in paths, resources);
    return { name, value, is: file(pid, controller, name) ?? 'not there' };
  });
  return {
    wanted: rows.map(({ name, value }) => `${name} ${value}`),
    found: rows.map(({ name, is }) => `${name} ${is}`),
  };
}

const where = (pid: number) =>
  Object.entries(cgroupPaths(pid))
    .map(([name, path]) => `${name}:${path}`)
    .join(' ');

export const checks: Check[] = [
  {
    id: 'member',
    title: {
      en: 'It is in the directory that the config names, in each tree',
      zh: '在每棵树里，它都在配置指明的目录里',
    },
    why: {
      en: 'The kernel counts by directory. Who is not in it has no limit; who shares it with the launcher, shares the limit.',
      zh: '内核按目录记账。不在里面，就没有限制；与启动器同在一个目录，就共用一份限制。',
    },
    look: {
      en: 'cat /proc/<pid>/cgroup, beside that of its parent; cgroup.procs in /sys/fs/cgroup',
      zh: 'cat /proc/<pid>/cgroup，与父进程的对比；/sys/fs/cgroup 里的 cgroup.procs',
    },
    async run(lab) {
      const lacking = lacks(lab);
      if (lacking) return lacking;
      const name = random();
      const container = await ready(lab, IDLE, called(name));
      if ('outcome' in container) return container;
      const { parent } = status(container.pid);
      const [inside, outside] = [directories(container.pid, lab), directories(parent, lab)];
      const isIn = (directory: string) => directory.endsWith(`/${name}`);
      if (inside.every(isIn) && !outside.some(isIn)) return pass();
      return fail(
        {
          en: `in every tree it is in ${name}, and the process that started it is not`,
          zh: `在每棵树里它都在 ${name} 里，而启动它的进程不在`,
        },
        `it is in ${inside.join(', ')}\nthe other in ${outside.join(', ')}`,
      );
    },
  },
  {
    id: 'limits',
    title: { en: 'The limits of the config are in its files', zh: '配置里的限制写在它的文件里' },
    why: {
      en: 'A limit is a number in a file of that directory. What is not written there, the kernel does not know.',
      zh: '限制就是那个目录的一个文件里的一个数。没有写进去的，内核并不知道。',
    },
    look: {
      en: 'cat memory.max pids.max cpu.max in its directory (v1: memory.limit_in_bytes, pids.max, cpu.cfs_quota_us)',
      zh: '在它的目录里 cat memory.max pids.max cpu.max（v1：memory.limit_in_bytes、pids.max、cpu.cfs_quota_us）',
    },
    async run(lab) {
      const lacking = lacks(lab);
      if (lacking) return lacking;
      const resources = possible(lab, {
        memory: { limit: randomInt(40, 200) * MIB },
        pids: { limit: randomInt(20, 100) },
        cpu: { quota: randomInt(20, 90) * 1000, period: PERIOD },
      });
      const container = await ready(lab, IDLE, limited(resources));
      if ('outcome' in container) return container;
      const { wanted, found } = limitLines(container.pid, resources);
      if (wanted.join() === found.join()) return pass();
      return fail(
        { en: wanted.join(', '), zh: wanted.join('，') },
        `${found.join(', ')}\nin ${directories(container.pid, lab).join(', ')}`,
      );
    },
  },
  {
    id: 'pids',
    title: { en: 'A fork bomb stops at the limit', zh: '进程炸弹到上限为止' },
    why: {
      en: 'Numbers for processes are few, and the host’s: without a limit one container can use up all of them.',
      zh: '进程号不多，而且是宿主机的：没有上限，一个容器就能用光。',
    },
    look: {
      en: 'pids.current and pids.events in its directory; how many processes are in the container',
      zh: '它的目录里的 pids.current 和 pids.events；容器里有多少进程',
    },
    async run(lab) {
      const lacking = lacks(lab, 'pids');
      if (lacking) return lacking;
      const most = randomInt(20, 40);
      const container = await obeying(lab, limited({ pids: { limit: most } }));
      if ('outcome' in container) return container;
      const said = await order(
        container,
        `(n=0; while [ $n -lt ${most + 20} ]; do sleep 1000 & n=$((n + 1)); done)`,
      );
      const alive = residents(namespace(container.pid, 'pid')).length;
      const refused = keyed(directoryOf(container.pid, 'pids'), 'pids.events')?.max ?? 0;
      if (alive <= most && refused > 0) return pass();
      return fail(
        {
          en: `${most} processes at most when it asks for ${most + 20}, and a refusal counted in pids.events`,
          zh: `它要 ${most + 20} 个进程，最多得到 ${most} 个，并且 pids.events 里记下了拒绝`,
        },
        `${alive} processes, ${refused} refusals, pids.max ${file(container.pid, 'pids', 'pids.max') ?? 'not there'}\n${said}`.trimEnd(),
      );
    },
  },
  {
    id: 'throttled',
    title: { en: 'Who wants more CPU time has to wait', zh: '想要更多的 CPU 时间，就得等' },
    why: {
      en: 'Time can be held back: the program runs slower, and nothing else happens to it.',
      zh: '时间可以少给：程序只是变慢，不会出别的事。',
    },
    look: { en: 'nr_throttled in cpu.stat', zh: 'cpu.stat 里的 nr_throttled' },
    async run(lab) {
      const lacking = lacks(lab, 'cpu');
      if (lacking) return lacking;
      const quota = randomInt(5, 20) * 1000;
      const container = await ready(
        lab,
        'echo "ready"; while :; do :; done',
        limited({ cpu: { quota, period: PERIOD } }),
      );
      if ('outcome' in container) return container;
      const waited = () => keyed(directoryOf(container.pid, 'cpu'), 'cpu.stat')?.nr_throttled ?? 0;
      if (await eventually(() => waited() > 0, 5000 * timeScale())) return pass();
      return fail(
        {
          en: `periods in which a busy loop used up its ${quota} of ${PERIOD} µs: nr_throttled above 0`,
          zh: `空转的循环在一些周期里用完了 ${PERIOD} 微秒中的 ${quota} 微秒：nr_throttled 大于 0`,
        },
        `nr_throttled ${waited()}\n${where(container.pid)}`,
      );
    },
  },
  {
    id: 'oom',
    title: {
      en: 'Who takes more memory is killed, and only that one',
      zh: '内存要得太多的会被杀，而且只杀它',
    },
    why: {
      en: 'Memory that is in use can’t be held back. The killer ends the greediest process in the directory; the host keeps its memory.',
      zh: '用着的内存没法少给。OOM killer 结束的是目录里最贪的那个进程，宿主机的内存保住了。',
    },
    look: {
      en: 'oom_kill in memory.events (v1: memory.oom_control); 137 is 128 + SIGKILL',
      zh: 'memory.events 里的 oom_kill（v1：memory.oom_control）；137 = 128 + SIGKILL',
    },
    async run(lab) {
      const limit = randomInt(24, 49) * MIB;
      const swapped = swapSpace();
      const lacking = lacks(lab, 'memory') ?? (swapped === 'unlimited' ? noSwapLimit : undefined);
      if (lacking) return lacking;
      const swap = swapped === 'limited' ? { swap: limit } : {};
      const container = await obeying(lab, limited({ memory: { limit, ...swap } }));
      if ('outcome' in container) return container;
      const said = await order(container, 'dd if=/dev/zero of=/dev/null bs=128M count=1; echo "status $?"');
      return killed(container, limit, said);
    },
  },
  ownNamespace('cgroup', {
    title: { en: 'It has a cgroup namespace of its own', zh: '它有自己的 cgroup 命名空间' },
    why: {
      en: 'Otherwise it reads the host’s paths, and a mount of cgroups shows it the host’s tree.',
      zh: '否则它读到的是宿主机的路径，挂载 cgroup 看到的也是宿主机的树。',
    },
  }),
  {
    id: 'view',
    title: { en: 'To itself it is at the top', zh: '在它自己看来，它在最顶上' },
    why: {
      en: 'A namespace made too early has somebody else’s directory as its top: that of the process which started it.',
      zh: '命名空间建得太早，顶就是别人的目录：启动它的那个进程的。',
    },
    look: {
      en: 'cat /proc/self/cgroup inside; from outside: nsenter --target <pid> --cgroup cat /proc/<pid>/cgroup',
      zh: '在里面 cat /proc/self/cgroup；从外面：nsenter --target <pid> --cgroup cat /proc/<pid>/cgroup',
    },
    async run(lab) {
      const lacking = lacks(lab);
      if (lacking) return lacking;
      const name = random();
      const container = await ready(lab, IDLE, called(name));
      if ('outcome' in container) return container;
      const paths = cgroupPathsInside(container.pid);
      if (!paths)
        return skip({
          en: 'this host has no nsenter (package util-linux), which looks from inside',
          zh: '宿主机没有 nsenter（软件包 util-linux），无法从里面看',
        });
      const outer = Object.keys(paths).filter((name) => paths[name] !== '/');
      const moved = directories(container.pid, lab).every((one) => one.endsWith(`/${name}`));
      if (outer.length === 0 && moved) return pass();
      return fail(
        {
          en: 'a directory of its own, and / as its path in every tree',
          zh: '有自己的目录，并且在每棵树里路径都是 /',
        },
        `inside: ${Object.entries(paths)
          .map(([name, path]) => `${name}:${path}`)
          .join(' ')}\noutside: ${where(container.pid)}`,
      );
    },
  },
];

function killed(container: Running, limit: number, said: string): Outcome {
  const kills = oomKills(directoryOf(container.pid, 'memory'));
  const lives = statusOf(container.pid) !== undefined;
  if (lives && (kills ?? 0) > 0 && said.includes('status 137')) return pass();
  return fail(
    {
      en: `of a shell and a dd that wants 128 MiB of ${limit / MIB}, dd is killed: status 137, oom_kill above 0`,
      zh: `一个 shell，一个在 ${limit / MIB} MiB 里要 128 MiB 的 dd：dd 被杀，状态 137，oom_kill 大于 0`,
    },
    `oom_kill ${kills ?? 'not there'}; ${lives ? 'the shell lives' : 'the shell has ended'}; ${said}`.trimEnd(),
  );
}

/** Only what this host has controllers for: nothing else can be asked. */
const possible = (lab: Lab, resources: Resources): Resources =>
  Object.fromEntries(Object.entries(resources).filter(([name]) => lab.controllers.includes(name)));
