/** tslab image import: a tree becomes an image. */
import type { Command } from 'commander';
import { judgeOf, type LimitFlags, limitFlags } from '../../limit-flags.ts';
import { collect } from '../../spec-flags.ts';

interface Flags extends LimitFlags {
  change?: string[];
  message?: string;
}

export const command = (image: Command): void => {
  limitFlags(
    image
      .command('import')
      .description('make an image of one layer from a folder or an archive')
      .argument('<from>', 'a folder, a tar file (plain, gzip or zstd), or - for standard input')
      .argument('<name>', 'of the image')
      .option(
        '-c, --change <line>',
        "a Dockerfile's line for its config, such as 'CMD [\"/bin/sh\"]'",
        collect,
      )
      .option('-m, --message <text>', 'for the history'),
  ).action(async (from: string, name: string, flags: Flags) => {
    const { changedBy } = await import('../../../image/dockerfile.ts');
    const { importImage } = await import('../../../image/import.ts');
    const { Store } = await import('../../../image/store/store.ts');
    const { newName } = await import('../../image-name.ts');
    const full = newName(name);
    const config = changedBy(flags.change ?? []);
    using store = new Store();
    const words = { comment: flags.message ?? `imported from ${from}` };
    const limited = await judgeOf(store, flags);
    const made = await importImage(
      store,
      from === '-' ? process.stdin : from,
      words,
      config,
      limited?.limits,
    );
    await limited?.judge(store.image(made));
    store.tag(full, made);
    console.log(store.image(made).manifest.config.digest);
  });
};
