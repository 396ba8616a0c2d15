/** tslab volume: folders that outlive the containers that use them. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  const volume = program
    .command('volume')
    .description('what containers keep: -v NAME:/path makes and uses one');
  volume
    .command('ls')
    .description('list the volumes')
    .option('-q, --quiet', 'names alone')
    .action(async ({ quiet }: { quiet?: boolean }) => {
      const { users, volumes } = await import('../volumes.ts');
      const { table } = await import('../table.ts');
      const rows = volumes().map(({ name, folder, created }) => [
        name,
        created.replace(/\..*/, '').replace('T', ' '),
        users(name).join(' '),
        folder,
      ]);
      if (quiet) for (const [name] of rows) console.log(name);
      else console.log(table(['VOLUME', 'CREATED (UTC)', 'CONTAINERS', 'FOLDER'], rows));
    });
  volume
    .command('create')
    .description('make empty ones')
    .argument('<name...>')
    .action(async (names: string[]) => {
      const { makeVolume, volumeFolder } = await import('../../image/volumes.ts');
      for (const name of names) volumeFolder(name);
      for (const name of names) makeVolume(name);
      for (const name of names) console.log(name);
    });
  volume
    .command('inspect')
    .description('tell all about them, as JSON')
    .argument('<name...>')
    .action(async (names: string[]) => {
      const { existing, users } = await import('../volumes.ts');
      const told = names.map(existing).map(({ name, folder, created }) => ({
        Name: name,
        Mountpoint: folder,
        CreatedAt: created,
        Containers: users(name),
      }));
      console.log(JSON.stringify(told, undefined, 2));
    });
  volume
    .command('rm')
    .description('remove volumes that no container uses, with all that is in them')
    .argument('<name...>')
    .action(async (names: string[]) => {
      const { existing, removeUnused } = await import('../volumes.ts');
      for (const one of names.map(existing)) {
        await removeUnused(one);
        console.log(one.name);
      }
    });
  volume
    .command('prune')
    .description('remove all volumes that no container uses')
    .option('-f, --force', 'without it, they are only told')
    .action(async ({ force }: { force?: boolean }) => {
      const { removeUnused, users, volumes } = await import('../volumes.ts');
      const unused = volumes().filter(({ name }) => users(name).length === 0);
      for (const one of unused) {
        if (force) await removeUnused(one);
        console.log(one.name);
      }
      if (!force && unused.length > 0)
        console.error('tslab: still there; tslab volume prune --force removes them');
    });
};
