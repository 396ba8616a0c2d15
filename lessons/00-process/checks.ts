/** How a program begins and ends, seen from outside: status, signals, arguments, working directory, and nothing left. */
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, fail, pass } from '../../src/course/check.ts';
import { random, randomInt } from '../../src/course/probes.ts';
import { statusOf } from '../../src/evidence/process.ts';

/** Both ends and some in between: who hands back a fixed number is found out. */
const someCodes = () => [0, 255, ...Array.from({ length: 4 }, () => randomInt(1, 255))];

const fatal: NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGALRM'];
const someSignals = () => [fatal[randomInt(0, fatal.length)] ?? 'SIGTERM', 'SIGKILL'] as const;

export const checks: Check[] = [
  {
    id: 'status',
    title: { en: 'The program’s exit status comes out', zh: '程序的退出状态原样传出' },
    why: {
      en: 'Whoever starts a container decides by this number whether its work is done.',
      zh: '启动容器的人，凭这个数字判断活干成了没有。',
    },
    look: { en: 'wait(2), exit(3): eight bits, 0 to 255', zh: 'wait(2)、exit(3)：八个比特，0 到 255' },
    async run(lab) {
      for (const code of someCodes()) {
        const container = await lab.start(['sh', '-c', `exit ${code}`]);
        const exit = await container.exit;
        if (!('code' in exit) || exit.code !== code)
          return fail(
            { en: `sh -c 'exit ${code}' ends with ${code}`, zh: `sh -c 'exit ${code}' 的退出状态是 ${code}` },
            JSON.stringify(exit),
          );
      }
      return pass();
    },
  },
  {
    id: 'killed',
    title: { en: 'Death by a signal is told as such', zh: '死于信号，就如实报告信号' },
    why: {
      en: 'Killed and failed are different ends: one asks for more memory, the other for a fix.',
      zh: '被杀死和运行失败是两种结局：前者可能要加内存，后者要改程序。',
    },
    look: { en: 'wait(2): WIFSIGNALED, WTERMSIG', zh: 'wait(2)：WIFSIGNALED、WTERMSIG' },
    async run(lab) {
      for (const signal of someSignals()) {
        const container = await lab.start(['sh', '-c', `kill -s ${signal.slice(3)} $$; sleep 5`]);
        const exit = await container.exit;
        if (!('signal' in exit) || exit.signal !== signal)
          return fail(
            {
              en: `a program killed by ${signal} ends by ${signal}`,
              zh: `被 ${signal} 杀死的程序，结局是 ${signal}`,
            },
            JSON.stringify(exit),
          );
      }
      return pass();
    },
  },
  {
    id: 'signal',
    title: { en: 'A signal from outside reaches the program', zh: '外面发的信号能到达程序' },
    why: {
      en: 'Stopping politely is a signal that the program can handle: save, close, leave.',
      zh: '客气地停止程序，就是发一个它能处理的信号：保存、关闭、退出。',
    },
    look: { en: 'kill(2), signal(7)', zh: 'kill(2)、signal(7)' },
    async run(lab) {
      const [said, code] = [random(), randomInt(1, 100)];
      const script = `trap 'echo ${said}; exit ${code}' TERM; echo "ready"; while :; do sleep 0.05; done`;
      const container = await lab.start(['sh', '-c', script]);
      if (await container.waitFor(/^ready$/m)) container.signal('SIGTERM');
      // One that doesn't mind the signal would never end.
      const patience = sleep(5000, undefined, { ref: false }).then(() => container.stop());
      await Promise.race([container.exit, patience]);
      const exit = await container.exit;
      if ('code' in exit && exit.code === code && container.stdout().includes(said)) return pass();
      return fail(
        {
          en: `its handler for SIGTERM prints ${said} and exits with ${code}`,
          zh: `它的 SIGTERM 处理程序打印 ${said}，并以 ${code} 退出`,
        },
        `${container.stdout()}${container.stderr()}${JSON.stringify(exit)}`,
      );
    },
  },
  {
    id: 'words',
    title: {
      en: 'It gets its arguments and its environment, unchanged',
      zh: '参数和环境变量原样交到程序手里',
    },
    why: {
      en: 'execve(2) takes lists of strings, not a command line. Nothing splits, quotes or drops them.',
      zh: 'execve(2) 收的是字符串列表，不是命令行。没有谁会拆分、加引号或丢掉它们。',
    },
    look: {
      en: 'execve(2); /proc/<pid>/cmdline and environ',
      zh: 'execve(2)；/proc/<pid>/cmdline 和 environ',
    },
    async run(lab) {
      const words = [random(), 'two words', '', `a "quote' $HOME`, '*'];
      const [variable, newline] = [random(), '\n'];
      const script = `printf '<%s>' "$@" "$TSLAB_WORD"; echo`;
      const container = await lab.start(['sh', '-c', script, 'sh', ...words], (spec) => {
        spec.process?.env?.push(`TSLAB_WORD=${variable}`);
      });
      await container.exit;
      const expected = [...words, variable].map((word) => `<${word}>`).join('');
      if (container.stdout() === expected + newline) return pass();
      return fail({ en: expected, zh: expected }, `${container.stdout()}${container.stderr()}`);
    },
  },
  {
    id: 'cwd',
    title: { en: 'It begins in the directory that the config names', zh: '它从 config 指定的目录开始' },
    why: {
      en: 'A relative path means nothing without a working directory.',
      zh: '没有工作目录，相对路径就没有意义。',
    },
    look: { en: 'readlink /proc/<pid>/cwd; chdir(2)', zh: 'readlink /proc/<pid>/cwd；chdir(2)' },
    async run(lab) {
      const directory = lab.folder();
      const container = await lab.start(['sh', '-c', 'echo "ready"; read line'], (spec) => {
        if (spec.process) spec.process.cwd = directory;
      });
      const ready = await container.waitFor(/^ready$/m);
      const shown = ready ? readlinkSync(`/proc/${container.pid}/cwd`) : container.stderr();
      if (shown === directory) return pass();
      return fail({ en: `/proc/<pid>/cwd -> ${directory}`, zh: `/proc/<pid>/cwd -> ${directory}` }, shown);
    },
  },
  {
    id: 'reaped',
    title: { en: 'When it has ended, nothing of it is left', zh: '结束之后什么也不留下' },
    why: {
      en: 'A process that nobody waits for stays as a zombie and keeps its number.',
      zh: '没有人等待的进程会变成僵尸，一直占着编号。',
    },
    look: {
      en: 'grep State /proc/<pid>/status; wait(2), NOTES',
      zh: 'grep State /proc/<pid>/status；wait(2) 的 NOTES',
    },
    async run(lab) {
      const container = await lab.start(['sh', '-c', `exit ${randomInt(0, 256)}`]);
      await container.exit;
      for (let tries = 0; statusOf(container.pid) && tries < 40; tries++) await sleep(50);
      const left = statusOf(container.pid);
      if (!left) return pass();
      return fail(
        { en: `there is no process ${container.pid}`, zh: `进程 ${container.pid} 已不存在` },
        `${left.name}, state ${left.state}`,
      );
    },
  },
];
