import type { Command } from 'commander';

interface EventsFlags {
  interval: string;
  stats?: boolean;
}

export const declare = (program: Command): void => {
  program
    .command('events')
    .description('print what a container uses, and each kill for want of memory, as lines of JSON')
    .argument('<id>')
    .option('--interval <time>', 'seconds between two lines, such as 5s', '5s')
    .option('--stats', 'one line, and no more')
    .action(async (id: string, flags: EventsFlags) => {
      const { directoriesOf, ooms } = await import('../../runtime/cgroup.ts');
      const { stats } = await import('../../runtime/cgroup-stats.ts');
      const { existing } = await import('../../runtime/lifecycle.ts');
      const { isAlive } = await import('../../runtime/state.ts');
      const { setTimeout: sleep } = await import('node:timers/promises');
      const state = existing(id);
      const directories = directoriesOf(state);
      const say = (type: string, data?: unknown) => console.log(JSON.stringify({ type, id, data }));
      say('stats', stats(directories));
      if (flags.stats) return;
      const seconds = Number(/^(\d+(?:\.\d+)?)s?$/.exec(flags.interval)?.[1]);
      if (!(seconds > 0)) throw new Error(`--interval ${flags.interval}: it takes seconds, such as 5s`);
      void (async () => {
        for await (const _ of ooms(directories)) say('oom');
      })();
      for (;;) {
        await sleep(seconds * 1000);
        if (!isAlive(state)) break;
        say('stats', stats(directories));
      }
    });
};
