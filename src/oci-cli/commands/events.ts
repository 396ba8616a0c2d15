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
    .option('--interval <time>', 'between two lines, such as 5s, 500ms or 1m30s', '5s')
    .option('--stats', 'one line, and no more')
    .action(async (id: string, flags: EventsFlags) => {
      const pause = milliseconds(flags.interval);
      const { directoriesOf, ooms } = await import('../../runtime/cgroup.ts');
      const { stats } = await import('../../runtime/cgroup-stats.ts');
      const { existing } = await import('../../runtime/lifecycle.ts');
      const { LifecycleError } = await import('../../runtime/lifecycle-error.ts');
      const { isAlive } = await import('../../runtime/state.ts');
      const { setTimeout: sleep } = await import('node:timers/promises');
      const state = existing(id);
      if (!isAlive(state)) throw new LifecycleError(`container not running: ${id}`);
      const directories = directoriesOf(state);
      const say = (type: string, data?: unknown) => console.log(JSON.stringify({ type, id, data }));
      say('stats', stats(directories));
      if (flags.stats) return;
      void (async () => {
        for await (const _ of ooms(directories)) say('oom');
      })();
      for (let next = Date.now() + pause; isAlive(state); await sleep(Math.min(pause, 100))) {
        if (Date.now() < next) continue;
        say('stats', stats(directories));
        next += pause;
      }
    });
};

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** @throws Error naming what it takes. */
function milliseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const whole = parts.map(([part]) => part).join('') === text;
  const sum = whole
    ? parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units], 0)
    : Number(text) * 1000;
  if (sum > 0) return sum;
  throw new Error(`--interval ${text}: it takes a time such as 5s, 500ms or 1m30s`);
}
