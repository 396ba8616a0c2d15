/** What the kernel shows, from outside, of a container whose first process is PID 1. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, fail, pass } from '../../src/course/check.ts';
import { eventually, IDLE, ownNamespace, random, randomInt, ready } from '../../src/course/probes.ts';
import { children, namespace, processes, residents, status, statusOf } from '../../src/evidence/process.ts';
import type { Spec } from '../../src/oci/spec.ts';

const withInit = (spec: Spec) => {
  spec.annotations = { ...spec.annotations, 'org.tslab.init': 'true' };
};

const describe = (pid: number) => {
  const found = statusOf(pid);
  return found ? `${found.name} ${found.state} NSpid ${found.numbers.join(' ')}` : `${pid} is gone`;
};

export const checks: Check[] = [
  ownNamespace('pid', {
    title: { en: 'It has a PID namespace of its own', zh: '它有自己的 PID 命名空间' },
    why: {
      en: 'Otherwise the numbers inside are the host’s, and kill works across the wall.',
      zh: '否则里面的号码就是宿主机的，kill 可以隔墙生效。',
    },
  }),
  {
    id: 'one',
    title: { en: 'The program is process 1 in it', zh: '程序是里面的 1 号进程' },
    why: {
      en: 'A namespace joined or left halfway shows here: the program runs, but it is not the one that counts.',
      zh: '只进了一半的命名空间会在这里露出来：程序在跑，却不是说了算的那个。',
    },
    look: { en: 'grep NSpid /proc/<pid>/status', zh: 'grep NSpid /proc/<pid>/status' },
    async run(lab) {
      const container = await ready(lab, IDLE);
      if ('outcome' in container) return container;
      const outer = status(status(container.pid).parent).numbers.length;
      // The shell has just said "ready"; a moment later it is sleep.
      await eventually(() => statusOf(container.pid)?.name === 'sleep');
      const { numbers, name } = status(container.pid);
      if (numbers.length === outer + 1 && numbers.at(-1) === 1 && name === 'sleep') return pass();
      return fail(
        {
          en: `NSpid with ${outer + 1} numbers, the last one 1, of the program sleep`,
          zh: `程序 sleep 的 NSpid 有 ${outer + 1} 个号码，最后一个是 1`,
        },
        describe(container.pid),
      );
    },
  },
  {
    id: 'proc',
    title: { en: 'Its /proc shows its own processes', zh: '它的 /proc 显示的是它自己的进程' },
    why: {
      en: 'An old /proc shows the host’s processes, under numbers that mean nothing, or something else, inside.',
      zh: '旧的 /proc 显示宿主机的进程，那些号码在里面毫无意义，或者指的是别的进程。',
    },
    look: { en: 'ls /proc/<pid>/root/proc; proc(5)', zh: 'ls /proc/<pid>/root/proc；proc(5)' },
    async run(lab) {
      const container = await ready(lab, IDLE);
      if ('outcome' in container) return container;
      const shown = processes(join(`/proc/${container.pid}/root`, 'proc'));
      if (shown.length === 1 && shown[0] === 1) return pass();
      const some = `${shown.slice(0, 12).join(' ')}${shown.length > 12 ? ' …' : ''}`;
      return fail(
        { en: 'one process, number 1', zh: '一个进程，1 号' },
        `${shown.length} processes: ${some || 'an empty /proc'}`,
      );
    },
  },
  {
    id: 'all-die',
    title: { en: 'With PID 1, all of them end', zh: 'PID 1 一结束，全部结束' },
    why: {
      en: 'So a container can be ended for certain: by one signal to one process.',
      zh: '所以容器可以被可靠地结束：给一个进程发一个信号就够了。',
    },
    look: {
      en: 'pid_namespaces(7), "The namespace init process"',
      zh: 'pid_namespaces(7) 的 “The namespace init process”',
    },
    async run(lab) {
      const container = await ready(
        lab,
        'echo "ready"; read -r line && { sleep 1000 & (sleep 1000 &); setsid sleep 1000 & wait; }',
      );
      if ('outcome' in container) return container;
      const space = namespace(container.pid, 'pid');
      // Without a namespace of its own, everybody would be counted, and what is started now would outlive it.
      if (space === namespace(status(container.pid).parent, 'pid'))
        return fail({ en: 'a PID namespace of its own', zh: '它有自己的 PID 命名空间' }, `pid:[${space}]`);
      container.stdin.write('go\n');
      const all = await eventually(() => residents(space).length === 4);
      if (!all)
        return fail({ en: 'four processes in it', zh: '里面有四个进程' }, `${residents(space).length}`);
      container.signal('SIGKILL');
      await container.exit;
      const gone = await eventually(() => residents(space).length === 0);
      if (gone) return pass();
      return fail(
        { en: 'nobody left in that namespace', zh: '那个命名空间里没有人了' },
        residents(space).map(describe).join(', '),
      );
    },
  },
  {
    id: 'reaps',
    title: { en: 'With an init, orphans leave no zombies', zh: '有 init 时，孤儿不会变成僵尸' },
    why: {
      en: 'A zombie keeps its number until PID 1 asks for its status. Most programs never ask.',
      zh: '僵尸一直占着号码，直到 PID 1 来取它的状态，而多数程序从来不取。',
    },
    look: {
      en: 'grep State /proc/<pid>/status of PID 1’s children; wait(2), NOTES',
      zh: 'PID 1 的子进程：grep State /proc/<pid>/status；wait(2) 的 NOTES',
    },
    async run(lab) {
      const orphans = randomInt(3, 8);
      const script = `n=${orphans}; while [ $n -gt 0 ]; do (sleep 0.3 &); n=$((n - 1)); done; ${IDLE}`;
      const container = await ready(lab, script, withInit);
      if ('outcome' in container) return container;
      // They live for 0.3 s; then PID 1 has one child left, the program.
      await sleep(600);
      await eventually(() => children(container.pid).length === 1);
      const left = children(container.pid).map(describe);
      const init = status(container.pid);
      const one = init.numbers.at(-1) === 1 && init.name !== 'sleep';
      if (one && left.length === 1 && left[0]?.startsWith('sleep S')) return pass();
      return fail(
        {
          en: `PID 1 is an init; of its children, the program is left, and none of the ${orphans} orphans`,
          zh: `PID 1 是 init；它的子进程里只剩程序，${orphans} 个孤儿都不在了`,
        },
        `${describe(container.pid)}; children: ${left.join(', ') || 'none'}`,
      );
    },
  },
  {
    id: 'forwards',
    title: {
      en: 'With an init, signals reach the program, and its status comes out',
      zh: '有 init 时，信号到得了程序，程序的状态传得出来',
    },
    why: {
      en: 'Who stops a container signals PID 1. If that is not the program, it has to be passed on.',
      zh: '停止容器的人给 PID 1 发信号。如果那不是程序本身，就得有人转达。',
    },
    look: {
      en: 'signal(7); pid_namespaces(7), on signals to init',
      zh: 'signal(7)；pid_namespaces(7) 中关于发给 init 的信号',
    },
    async run(lab) {
      const [said, code] = [random(), randomInt(1, 100)];
      const script = `trap 'echo ${said}; exit ${code}' TERM; echo "ready"; while :; do sleep 0.05; done`;
      const container = await ready(lab, script, withInit);
      if ('outcome' in container) return container;
      const init = status(container.pid).name;
      container.signal('SIGTERM');
      const exit = await Promise.race([container.exit, sleep(5000)]);
      const handled = container.stdout().includes(said) && exit && 'code' in exit && exit.code === code;
      if (handled && init !== 'sh') return pass();
      return fail(
        {
          en: `PID 1 is an init; the program’s handler for SIGTERM prints ${said}, and ${code} is the exit status`,
          zh: `PID 1 是 init；程序的 SIGTERM 处理函数打印 ${said}，退出状态是 ${code}`,
        },
        `PID 1 is ${init}; ${container.stdout()}${exit ? JSON.stringify(exit) : 'still running'}`,
      );
    },
  },
];
