/** tslab image load: images from what save, docker save or skopeo wrote. */
import type { Command } from 'commander';
import { judgeOf, type LimitFlags, limitFlags } from '../../limit-flags.ts';

export const command = (image: Command): void => {
  limitFlags(
    image
      .command('load')
      .description('read images from an archive of save, docker save, podman save or skopeo')
      .option('-i, --input <file>', 'instead of standard input'),
  ).action(async (flags: LimitFlags & { input?: string }) => {
    const { createReadStream } = await import('node:fs');
    const { loadImages } = await import('../../../image/load.ts');
    const { Store } = await import('../../../image/store/store.ts');
    const { shownName } = await import('../../image-name.ts');
    if (flags.input === undefined && process.stdin.isTTY)
      throw new Error('image load: standard input is a terminal; say --input FILE, or send an archive');
    using store = new Store();
    const from = flags.input === undefined ? process.stdin : createReadStream(flags.input);
    const limited = await judgeOf(store, flags);
    for (const name of await loadImages(store, from, limited?.judge))
      console.log(`loaded ${shownName(name)}`);
  });
};
