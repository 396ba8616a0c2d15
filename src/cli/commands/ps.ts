/** tslab ps: the containers there are. */
import type { Command } from 'commander';
import { IMAGE_ANNOTATION } from '../../oci/annotations.ts';
import type { Entry } from '../../runtime/containers.ts';
import { shownName } from '../image-name.ts';

export const command = (program: Command): void => {
  program
    .command('ps')
    .description('list the running containers')
    .option('-a, --all', 'also those that have ended')
    .option('-q, --quiet', 'names alone')
    .option('--json', 'as JSON')
    .action(async (flags: { all?: boolean; quiet?: boolean; json?: boolean }) => {
      const { containers } = await import('../../runtime/containers.ts');
      const entries = containers().filter(({ state }) => flags.all || state === 'running');
      if (flags.json) console.log(JSON.stringify(entries, undefined, 2));
      else if (flags.quiet) for (const { id } of entries) console.log(id);
      else await print(entries);
    });
};

async function print(entries: readonly Entry[]): Promise<void> {
  const { table } = await import('../table.ts');
  const rows = entries.map(({ id, pid, spec, ...entry }) => [
    id,
    shownName(spec.annotations?.[IMAGE_ANNOTATION] ?? ''),
    pid ?? '',
    stateText(entry),
    entry.created.replace(/\..*/, '').replace('T', ' '),
    spec.process?.args.join(' ') ?? '',
  ]);
  console.log(table(['CONTAINER', 'IMAGE', 'PID', 'STATE', 'CREATED (UTC)', 'COMMAND'], rows));
}

function stateText({ state, exit }: Pick<Entry, 'state' | 'exit'>): string {
  if (state !== 'exited') return state;
  if (!exit) return 'exited (unknown: its launcher was killed)';
  return `exited (${'code' in exit ? exit.code : exit.signal})`;
}
