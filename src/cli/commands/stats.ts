/** tslab stats: what containers have used, as their cgroups counted it. */
import type { Command } from 'commander';
import type { Stats } from '../../runtime/cgroup-stats.ts';

export const command = (program: Command): void => {
  program
    .command('stats')
    .description('what running containers have used so far')
    .argument('[container...]', 'their names, or the beginnings of their ids (default: all)')
    .option('--json', 'all that the kernel counts, as JSON')
    .action(async (names: string[], flags: { json?: boolean }) => {
      const { directoriesOf } = await import('../../runtime/cgroup.ts');
      const { stats } = await import('../../runtime/cgroup-stats.ts');
      const { findRunning } = await import('../../runtime/containers.ts');
      const { runningContainers } = await import('../../runtime/state.ts');
      const own = runningContainers().filter(({ spec }) => spec.linux?.cgroupsPath !== undefined);
      const states = names.length > 0 ? names.map(findRunning) : own;
      const rows = states.map((state) => ({ id: state.id, data: stats(directoriesOf(state)) }));
      if (flags.json) console.log(JSON.stringify(rows, undefined, 2));
      else await print(rows);
    });
};

async function print(rows: readonly { id: string; data: Stats }[]): Promise<void> {
  const { bytes } = await import('../bytes.ts');
  const { table } = await import('../table.ts');
  const total = ({ blkio }: Stats, op: string) =>
    blkio?.ioServiceBytesRecursive
      .filter((entry) => entry.op === op)
      .reduce((sum, { value }) => sum + value, 0) ?? 0;
  const cells = rows.map(({ id, data }) => [
    id,
    `${((data.cpu?.usage.total ?? 0) / 1e9).toFixed(2)} s`,
    `${bytes(data.memory?.usage.usage)} / ${bytes(data.memory?.usage.limit)}`,
    `${data.pids.current} / ${data.pids.limit ?? '-'}`,
    `${bytes(total(data, 'Read'))} / ${bytes(total(data, 'Write'))}`,
    data.memory?.oomKills ?? '-',
  ]);
  console.log(table(['CONTAINER', 'CPU', 'MEMORY / LIMIT', 'PIDS / LIMIT', 'READ / WRITTEN', 'OOM'], cells));
}
