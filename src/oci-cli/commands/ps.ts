import type { Command } from 'commander';

export const declare = (program: Command): void => {
  program
    .command('ps')
    .description('list the processes of a container, as the host numbers them')
    .argument('<id>')
    .argument('[ps-options...]', 'of ps(1), default -ef: its table, with this container’s lines alone')
    .passThroughOptions()
    .option('-f, --format <format>', 'table or json', 'table')
    .action(async (id: string, words: string[], flags: { format: string }) => {
      const { demandFormat } = await import('../global.ts');
      const { directoriesOf, pids: pidsOf } = await import('../../runtime/cgroup.ts');
      const { existing } = await import('../../runtime/lifecycle.ts');
      // Behind the id all else is for ps(1), but this word is ours in one of the two dialects.
      const [option, word = '', ...rest] = words;
      const ours = (option === '--format' || option === '-f') && ['json', 'table'].includes(word);
      const format = ours ? word : flags.format;
      demandFormat(format);
      const pids = pidsOf(directoriesOf(existing(id)));
      if (format === 'json') console.log(JSON.stringify(pids));
      else for (const line of await table(pids, ours ? rest : words)) console.log(line);
    });
};

/** @throws Error if there is no ps(1), it understands the options as little as we do, or its table has no numbers. */
async function table(pids: readonly number[], options: readonly string[]): Promise<string[]> {
  const { spawnSync } = await import('node:child_process');
  const asked = options.length > 0 ? options : ['-ef'];
  const { error, status, stdout, stderr } = spawnSync('ps', asked, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error) throw new Error(`ps(1): ${error.message}; --format json does without it`);
  if (status !== 0) throw new Error(`ps ${asked.join(' ')}: ${stderr.trim()}`);
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new Error(`ps ${asked.join(' ')}: its table has no column PID`);
  return [header, ...lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])))];
}
