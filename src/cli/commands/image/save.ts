/** tslab image save: images as one file. */
import type { Command } from 'commander';

export const command = (image: Command): void => {
  image
    .command('save')
    .description(
      'write images into an archive that docker load, podman load, skopeo and tslab image load read',
    )
    .argument('<image...>', 'names, or the beginnings of ids')
    .option('-o, --output <file>', 'instead of standard output')
    .action(async (wanted: string[], flags: { output?: string }) => {
      const { createWriteStream } = await import('node:fs');
      const { saveImages } = await import('../../../image/save.ts');
      const { Store } = await import('../../../image/store/store.ts');
      if (flags.output === undefined && process.stdout.isTTY)
        throw new Error('image save: standard output is a terminal; say --output FILE, or send it on');
      using store = new Store();
      const images = wanted.map((name) => store.resolve(name));
      await saveImages(
        store,
        images,
        flags.output === undefined ? process.stdout : createWriteStream(flags.output),
      );
    });
};
