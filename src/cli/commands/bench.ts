/** tslab bench: start-up figures beside what a user would pick instead. */
import type { Command } from 'commander';

/** As bench.ts has them. */
const groups = ['container', 'shell', 'engine', 'layer'];

export const command = (program: Command): void => {
  program
    .command('bench')
    .description(
      'time container starts beside crun and runc, a cold start beside node, and a layer beside tar',
    )
    .argument('[group...]', groups.join(', '))
    .option('--json', 'an array of rows')
    .option('--runs <n>', 'counted runs of each', '20')
    .action(async (asked: string[], options: { json?: boolean; runs: string }) => {
      const runs = Number(options.runs);
      if (!Number.isInteger(runs) || runs < 1 || runs > 1000)
        throw new Error(`--runs ${options.runs}: it takes a number from 1 to 1000`);
      const unknown = asked.find((name) => !groups.includes(name));
      if (unknown !== undefined)
        throw new Error(`bench ${unknown}: it takes ${groups.join(', ')}, or nothing for all`);
      const { bench } = await import('../../bench/bench.ts');
      const rows = await bench(runs, asked.length === 0 ? groups : asked);
      if (options.json) {
        console.log(JSON.stringify(rows, undefined, 2));
        return;
      }
      const { default: Table } = await import('cli-table3');
      const table = new Table({
        head: ['what', 'runtime', 'median ms', 'min', 'max', 'ratio', 'peak MiB'],
        style: { head: [], border: [], compact: true },
      });
      for (const row of rows)
        table.push([
          row.name,
          row.runtime,
          row.median_ms,
          row.min_ms,
          row.max_ms,
          row.ratio_to_limit,
          row.peak_mib ?? '',
        ]);
      const { cpus, release } = await import('node:os');
      console.log(
        `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, Node ${process.version}, ${runs} runs each`,
      );
      console.log(table.toString());
    });
};
