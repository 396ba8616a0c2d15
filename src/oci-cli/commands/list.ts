import type { Command } from 'commander';

interface ListFlags {
  format: string;
  quiet?: boolean;
}

export const declare = (program: Command): void => {
  program
    .command('list')
    .description('list the containers below --root')
    .option('-f, --format <format>', 'table or json', 'table')
    .option('-q, --quiet', 'ids alone')
    .action(async (flags: ListFlags) => {
      const { demandFormat } = await import('../global.ts');
      demandFormat(flags.format);
      const { describe } = await import('../describe.ts');
      const { allStates } = await import('../../runtime/state.ts');
      const states = allStates();
      if (flags.quiet) for (const { id } of states) console.log(id);
      else if (flags.format === 'json') console.log(JSON.stringify(states.map(describe)));
      else {
        const { table } = await import('../../cli/table.ts');
        const rows = states
          .map(describe)
          .map(({ id, pid, status, bundle, created, owner }) => [id, pid, status, bundle, created, owner]);
        console.log(table(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], rows));
      }
    });
};
