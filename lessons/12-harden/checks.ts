/** What the kernel shows, from outside, of a container whose root is less than root. */
import { boxIds } from '../../src/course/box.ts';
import { type Check, fail, type Lab, type Outcome, pass, skip } from '../../src/course/check.ts';
import { IDLE, obeying, order, random, randomInt, ready } from '../../src/course/probes.ts';
import { privileges, type SetName, setFields } from '../../src/evidence/privileges.ts';
import { status } from '../../src/evidence/process.ts';
import { keptCapabilities } from '../../src/oci/default-capabilities.ts';
import type { Seccomp, Spec } from '../../src/oci/spec.ts';

type Sets = Partial<Record<SetName, string[]>>;

const some = <T>(all: readonly T[]) => all.filter(() => randomInt(0, 2) === 1);
const one = <T>(all: readonly T[]) => all[randomInt(0, all.length)] as T;
/** CAP_CHOWN always, CAP_KILL never: neither nothing nor everything. */
const someCapabilities = () => [
  'CAP_CHOWN',
  ...some(keptCapabilities.filter((name) => !['CAP_CHOWN', 'CAP_KILL'].includes(name))),
];

const process = (spec: Spec) => (spec.process ??= { args: [], cwd: '/' });
const without = (spec: Spec, field: 'seccomp') => {
  delete spec.linux?.[field];
};

const words = (names: readonly string[]) =>
  names.map((name) => name.replace(/^CAP_/, '').toLowerCase()).join(' ') || 'none';

/** The sets that differ from what the config asks for, each as /proc calls it. */
function compare(pid: number, wanted: Sets): Outcome {
  const { sets } = privileges(pid);
  const lines = (of: Sets) =>
    differing.map((set) => `${setFields[set]} ${words([...(of[set] ?? [])].sort())}`).join('\n');
  const differing = (Object.keys(wanted) as SetName[]).filter(
    (set) => [...sets[set]].sort().join() !== [...(wanted[set] ?? [])].sort().join(),
  );
  if (differing.length === 0) return pass();
  const shown = Object.fromEntries(differing.map((set) => [set, shorten(sets[set])]));
  return fail({ en: lines(wanted), zh: lines(wanted) }, lines(shown));
}

/** Forty names say less than their number. */
const shorten = (names: readonly string[]) =>
  names.length > 14 ? [`(${names.length} of them)`] : [...names];

export const checks: Check[] = [
  {
    id: 'root',
    title: {
      en: 'Root has the capabilities of the config, and can get no others',
      zh: 'root 只有配置给的能力，也得不到别的',
    },
    why: {
      en: 'At execve, root’s permitted set is made anew from the bounding set. What is left in there comes back.',
      zh: 'execve 时，root 的允许集（permitted）会按边界集重新算。边界集里留下什么，什么就会回来。',
    },
    look: {
      en: 'grep Cap /proc/<pid>/status; capsh --decode=…; capabilities(7), “Capability bounding set”',
      zh: 'grep Cap /proc/<pid>/status；capsh --decode=…；capabilities(7) 的 “Capability bounding set”',
    },
    async run(lab) {
      const bounding = someCapabilities();
      const inheritable = ['CAP_CHOWN', ...some(bounding.slice(1))];
      const container = await ready(lab, IDLE, (spec) => {
        process(spec).capabilities = { bounding, permitted: bounding, effective: bounding, inheritable };
        // With no_new_privs, execve gives nothing back, and a bounding set that was forgotten would show less.
        process(spec).noNewPrivileges = false;
        without(spec, 'seccomp');
      });
      if ('outcome' in container) return container;
      return compare(container.pid, {
        bounding,
        permitted: bounding,
        effective: bounding,
        inheritable,
        ambient: [],
      });
    },
  },
  {
    id: 'user',
    title: {
      en: 'An ordinary user has the ambient ones, and no others',
      zh: '普通用户只有环境集（ambient）里的能力',
    },
    why: {
      en: 'That is how a web server may use port 80 and nothing else of root’s. It takes the right order around setuid.',
      zh: 'Web 服务器就是这样只拿到 80 端口、而不拿 root 的其他权力的。前提是各步与 setuid 的先后对了。',
    },
    look: {
      en: 'grep -E "Uid|Cap" /proc/<pid>/status; capabilities(7), “Effect of user ID changes”; PR_SET_KEEPCAPS(2const)',
      zh: 'grep -E "Uid|Cap" /proc/<pid>/status；capabilities(7) 的 “Effect of user ID changes”；PR_SET_KEEPCAPS(2const)',
    },
    async run(lab) {
      const uid = randomInt(1000, 30_000);
      if (!boxIds.some(({ containerID, size }) => uid >= containerID && uid < containerID + size))
        return noIds;
      const bounding = someCapabilities();
      const inheritable = ['CAP_CHOWN', ...some(bounding.slice(1))];
      const ambient = ['CAP_CHOWN', ...some(inheritable.slice(1))];
      const container = await ready(lab, IDLE, (spec) => {
        process(spec).user = { uid, gid: uid };
        process(spec).capabilities = {
          bounding,
          permitted: bounding,
          effective: bounding,
          inheritable,
          ambient,
        };
      });
      if ('outcome' in container) return container;
      return compare(container.pid, {
        bounding,
        permitted: ambient,
        effective: ambient,
        inheritable,
        ambient,
      });
    },
  },
  {
    id: 'no-new-privs',
    title: {
      en: 'no_new_privs is set if the config says so, and only then',
      zh: '配置要求时设置 no_new_privs，不要求就不设',
    },
    why: {
      en: 'With it, a set-user-ID program on a volume is a program like any other. It can’t be taken back.',
      zh: '有了它，卷上的 set-user-ID 程序就只是普通程序。它一旦设置就不能收回。',
    },
    look: {
      en: 'grep NoNewPrivs /proc/<pid>/status; PR_SET_NO_NEW_PRIVS(2const)',
      zh: 'grep NoNewPrivs /proc/<pid>/status；PR_SET_NO_NEW_PRIVS(2const)',
    },
    async run(lab) {
      for (const wanted of [true, false]) {
        const container = await ready(lab, IDLE, (spec) => {
          process(spec).noNewPrivileges = wanted;
          without(spec, 'seccomp');
        });
        if ('outcome' in container) return container;
        const outer = privileges(status(container.pid).parent).noNewPrivileges;
        const shown = privileges(container.pid).noNewPrivileges;
        const text = `NoNewPrivs: ${wanted ? 1 : 0}`;
        if (shown !== (wanted || outer)) return fail({ en: text, zh: text }, `NoNewPrivs: ${shown ? 1 : 0}`);
      }
      return pass();
    },
  },
  {
    id: 'filter',
    title: {
      en: 'The filter judges each call as the config says',
      zh: '过滤器按配置裁决每一次系统调用',
    },
    why: {
      en: 'A capability opens whole areas of the kernel; a filter shuts single calls, also those that nobody needs a capability for.',
      zh: '能力管的是内核的一大片，过滤器关的是单个调用，包括那些不需要任何能力的调用。',
    },
    look: {
      en: 'grep Seccomp /proc/<pid>/status; strace the program; seccomp(2)',
      zh: 'grep Seccomp /proc/<pid>/status；用 strace 看程序；seccomp(2)',
    },
    async run(lab) {
      const denied = one(calls);
      const [errno, message] = one(errors);
      const container = await obeying(lab, (spec) => {
        spec.linux = { ...spec.linux, seccomp: denying(denied.names, errno) };
      });
      if ('outcome' in container) return container;
      const { seccomp, filters } = privileges(container.pid);
      const outer = privileges(status(container.pid).parent).filters;
      if (seccomp !== 2 || (filters !== undefined && filters !== (outer ?? 0) + 1))
        return fail(
          {
            en: `Seccomp: 2, and one filter more than the ${outer ?? 0} of the process that started it`,
            zh: `Seccomp: 2，并且比启动它的进程（${outer ?? 0} 个）多一个过滤器`,
          },
          `Seccomp: ${seccomp}, Seccomp_filters: ${filters ?? '?'}`,
        );
      for (const call of calls) {
        const done = random();
        const said = await order(container, `cd /tmp && ${call.command(random())} && echo ${done}`);
        const holds = call === denied ? message.test(said) && !said.includes(done) : said.includes(done);
        if (holds) continue;
        const [text, zh] = call === denied ? [`errno ${errno}`, `错误码 ${errno}`] : ['success', '成功'];
        return fail(
          { en: `${call.names[0]}: ${text}`, zh: `${call.names[0]}：${zh}` },
          said.trim() || 'success',
        );
      }
      return pass();
    },
  },
  {
    id: 'capabilities-hold',
    title: { en: 'Without a filter, capabilities stop the escapes', zh: '没有过滤器，能力也能挡住逃逸' },
    why: {
      en: 'Two walls, one behind the other: each has to hold when the other is missing.',
      zh: '两道墙，一前一后：缺了一道，另一道也得顶住。',
    },
    look: {
      en: 'grep CapEff /proc/<pid>/status, and the table in “Break”',
      zh: 'grep CapEff /proc/<pid>/status，以及“突破”里的表',
    },
    run: (lab) => escapes(lab, (spec) => without(spec, 'seccomp')),
  },
  {
    id: 'filter-holds',
    title: {
      en: 'With all capabilities, the filter stops the escapes',
      zh: '能力全在，过滤器也能挡住逃逸',
    },
    why: {
      en: 'A flaw in code that mounts is out of reach for whoever can’t call mount(2) at all.',
      zh: '负责挂载的内核代码就算有漏洞，根本调用不了 mount(2) 的人也够不着。',
    },
    look: {
      en: 'grep Seccomp /proc/<pid>/status; seccomp(2), on what loading a filter takes',
      zh: 'grep Seccomp /proc/<pid>/status；seccomp(2) 中加载过滤器的条件',
    },
    run: (lab) =>
      escapes(lab, (spec) => {
        const all = [...keptCapabilities, 'CAP_SYS_ADMIN', 'CAP_SYS_PTRACE'];
        process(spec).capabilities = { bounding: all, permitted: all, effective: all };
      }),
  },
];

const noIds = skip({
  en: 'your namespace has one id only, and this takes a second; with sudo there are plenty',
  zh: '你的命名空间里只有一个 id，这里需要第二个；用 sudo 就有很多',
});

/** What a shell can be told to do, and the calls that it takes, by all the names that C libraries use. */
const calls = [
  { names: ['mkdir', 'mkdirat'], command: (name: string) => `mkdir ${name}` },
  { names: ['symlink', 'symlinkat'], command: (name: string) => `ln -s there ${name}` },
  { names: ['link', 'linkat'], command: (name: string) => `touch ${name} && ln ${name} ${name}-2` },
  { names: ['mknod', 'mknodat'], command: (name: string) => `mkfifo ${name}` },
  {
    names: ['chmod', 'fchmod', 'fchmodat', 'fchmodat2'],
    command: (name: string) => `touch ${name} && chmod 700 ${name}`,
  },
];

/** Errors that none of these calls has here otherwise, and that all C libraries call the same. */
const errors: readonly (readonly [number, RegExp])[] = [
  [23, /Too many open files in system/],
  [26, /Text file busy/],
  [28, /No space left on device/],
  [30, /Read-only file system/],
  [31, /Too many links/],
  [32, /Broken pipe/],
];

const denying = (names: string[], errnoRet: number): Seccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet }],
});

/** Each would be a step out, or the first half of one. None of them needs more than root inside. */
const attempts: readonly (readonly [string, string])[] = [
  ['mount a file system', 'mount -t tmpfs loot /mnt'],
  ['make /proc/sys writable again', 'mount -o remount,bind,rw /proc/sys'],
  ['take a mask off', 'umount /proc/keys || umount /proc/timer_list'],
  ['make namespaces', 'unshare -m true'],
  ['enter those of another process', 'nsenter -t 1 -u true'],
  ['rename the machine', 'hostname loot'],
];

async function escapes(lab: Lab, change: (spec: Spec) => void): Promise<Outcome> {
  const container = await obeying(lab, change);
  if ('outcome' in container) return container;
  for (const [what, command] of attempts) {
    const done = random();
    const said = await order(container, `${command} && echo ${done}`);
    if (!said.includes(done)) continue;
    return fail({ en: `${command}: refused`, zh: `${command}：被拒绝` }, `success: it could ${what}`);
  }
  return pass();
}
