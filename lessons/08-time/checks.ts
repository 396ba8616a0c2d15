/** What the kernel shows, from outside, of a container whose clocks are not the host's. */
import { randomInt } from 'node:crypto';
import os from 'node:os';
import { type Check, fail, type Lab, type Outcome, pass, skip } from '../../src/course/check.ts';
import { needs } from '../../src/course/needs.ts';
import { IDLE, obeying, order, ownNamespace, ready } from '../../src/course/probes.ts';
import { type Offset, timeOffsets } from '../../src/evidence/clocks.ts';
import { namespace, status } from '../../src/evidence/process.ts';
import type { Linux, Spec } from '../../src/oci/spec.ts';

const ask =
  (offsets?: Linux['timeOffsets']) =>
  (spec: Spec): void => {
    const namespaces = [...(spec.linux?.namespaces ?? []), { type: 'time' as const }];
    spec.linux = { ...spec.linux, namespaces, ...(offsets ? { timeOffsets: offsets } : {}) };
  };

/** Where the kernel has no such namespaces, no stage can make one. */
const whereThereAre =
  (run: (lab: Lab) => Promise<Outcome>) =>
  async (lab: Lab): Promise<Outcome> =>
    needs.time.met() ? await run(lab) : skip(needs.time.why);

const show = ({ secs, nanosecs }: Offset) => `${secs} ${nanosecs}`;

const own = ownNamespace(
  'time',
  {
    title: { en: 'It has a time namespace of its own', zh: '它有自己的时间命名空间' },
    why: {
      en: 'unshare(2) makes one for children only. Who doesn’t enter it keeps the host’s clocks.',
      zh: 'unshare(2) 造的命名空间只给以后的孩子。不走进去，用的就还是宿主机的时钟。',
    },
  },
  ask(),
);

export const checks: Check[] = [
  { ...own, run: whereThereAre((lab) => own.run(lab)) },
  {
    id: 'offsets',
    title: { en: 'Its offsets are those that the config says', zh: '偏移与配置所说的一致' },
    why: {
      en: 'A restored program goes on with the clocks that it had, to the nanosecond, or its timers are wrong.',
      zh: '恢复的程序要接着用它原来的时钟，精确到纳秒，否则它的定时器就全错了。',
    },
    look: {
      en: 'cat /proc/<pid>/timens_offsets; time_namespaces(7)',
      zh: 'cat /proc/<pid>/timens_offsets；time_namespaces(7)',
    },
    run: whereThereAre(async (lab) => {
      // No clock may go below 0; the machine has been up for longer than this.
      const back = randomInt(1, Math.max(2, Math.min(1000, Math.floor(os.uptime() / 2))));
      const wanted = {
        monotonic: { secs: -back, nanosecs: randomInt(1, 1_000_000_000) },
        boottime: { secs: randomInt(1_000_000, 9_000_000), nanosecs: randomInt(1, 1_000_000_000) },
      };
      const container = await ready(lab, IDLE, ask(wanted));
      if ('outcome' in container) return container;
      const shown = timeOffsets(container.pid);
      const lines = (of: typeof wanted) => `monotonic ${show(of.monotonic)}\nboottime ${show(of.boottime)}`;
      if (shown && lines(shown) === lines(wanted)) return pass();
      return fail({ en: lines(wanted), zh: lines(wanted) }, shown ? lines(shown) : 'no such file');
    }),
  },
  {
    id: 'uptime',
    title: { en: 'Uptime inside is the host’s, shifted', zh: '里面的运行时间是宿主机的，平移了一段' },
    why: {
      en: 'This is what programs see: the offsets count only for a process that is in the namespace.',
      zh: '这才是程序看到的：只有身在那个命名空间里的进程，偏移才算数。',
    },
    look: {
      en: 'cat /proc/uptime on both sides; readlink /proc/<pid>/ns/time',
      zh: '两边各 cat /proc/uptime；readlink /proc/<pid>/ns/time',
    },
    run: whereThereAre(async (lab) => {
      const secs = randomInt(1_000_000, 9_000_000);
      const container = await obeying(lab, ask({ boottime: { secs } }));
      if ('outcome' in container) return container;
      // It was between these two when the program asked, however slow this machine is.
      const before = os.uptime();
      const said = await order(container, 'cat /proc/uptime');
      const after = os.uptime();
      const shift = Number(said.split(' ')[0]) - secs;
      if (shift >= before - 0.1 && shift <= after + 0.1) return pass();
      return fail(
        {
          en: `an uptime of ${secs} s more than the host's ${before}`,
          zh: `比宿主机的 ${before} 多 ${secs} 秒的运行时间`,
        },
        said || 'nothing',
      );
    }),
  },
  {
    id: 'one',
    title: { en: 'One clock shifted leaves the other alone', zh: '只偏移一个时钟，另一个不变' },
    why: {
      en: 'A config may name one of them. A line for a clock that nobody named would be somebody’s guess.',
      zh: '配置可以只提一个。没人提过的时钟也写一行，那就是瞎猜。',
    },
    look: {
      en: 'cat /proc/<pid>/timens_offsets; time_namespaces(7)',
      zh: 'cat /proc/<pid>/timens_offsets；time_namespaces(7)',
    },
    run: whereThereAre(async (lab) => {
      const secs = randomInt(1_000_000, 9_000_000);
      const container = await ready(lab, IDLE, ask({ monotonic: { secs } }));
      if ('outcome' in container) return container;
      const shown = timeOffsets(container.pid);
      if (shown?.monotonic.secs === secs && shown.boottime.secs === 0) return pass();
      return fail(
        { en: `monotonic ${secs} 0, boottime 0 0`, zh: `monotonic ${secs} 0，boottime 0 0` },
        shown ? `monotonic ${show(shown.monotonic)}, boottime ${show(shown.boottime)}` : 'no such file',
      );
    }),
  },
  {
    id: 'host',
    title: {
      en: 'Whoever started it keeps the host’s clocks',
      zh: '启动它的那个进程，用的仍是宿主机的时钟',
    },
    why: {
      en: 'A launcher that has changed its own clocks gives them to everything that it starts later.',
      zh: '启动器要是改了自己的时钟，它以后启动的一切都会跟着变。',
    },
    look: {
      en: 'readlink /proc/<ppid>/ns/time /proc/<ppid>/ns/time_for_children',
      zh: 'readlink /proc/<ppid>/ns/time /proc/<ppid>/ns/time_for_children',
    },
    run: whereThereAre(async (lab) => {
      const container = await ready(lab, IDLE, ask({ boottime: { secs: randomInt(1_000_000, 9_000_000) } }));
      if ('outcome' in container) return container;
      const { parent } = status(container.pid);
      const ours = namespace('self', 'time');
      const theirs = ['time', 'time_for_children'].map((name) => namespace(parent, name));
      if (theirs.every((one) => one === ours)) return pass();
      return fail(
        { en: `time:[${ours}], for itself and for its children`, zh: `自己和孩子都是 time:[${ours}]` },
        theirs.map((one) => `time:[${one}]`).join(', '),
      );
    }),
  },
];
