/** tslab image prune: takes away what nothing needs. */
import type { Command } from 'commander';

export const command = (image: Command): void => {
  image
    .command('prune')
    .description(
      'remove blobs and layers of no name and no container, and what a killed tslab left half done',
    )
    .option('--json', 'as JSON')
    .action(async (flags: { json?: boolean }) => {
      const { Store } = await import('../../../image/store/store.ts');
      const { bytes } = await import('../../bytes.ts');
      using store = new Store();
      const pruned = await store.prune();
      if (flags.json) console.log(JSON.stringify(pruned, undefined, 2));
      else {
        for (const digest of pruned.blobs) console.log(`blob ${digest}`);
        for (const digest of pruned.layers) console.log(`layer ${digest}`);
        console.log(`${bytes(pruned.bytes)} of blobs, ${pruned.layers.length} layers`);
      }
    });
};
