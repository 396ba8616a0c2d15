/** tslab image inspect: what an image says about itself, in the words that docker uses. */
import type { Command } from 'commander';
import type { Image } from '../../../image/types.ts';

export const command = (image: Command): void => {
  image
    .command('inspect')
    .description('show all that an image says about itself, as JSON')
    .argument('<image...>', 'names, or the beginnings of ids')
    .option('--format <template>', "a line for each, such as '{{.Id}}' or '{{json .Config.Env}}'")
    .action(async (wanted: string[], flags: { format?: string }) => {
      const { Store } = await import('../../../image/store/store.ts');
      const store = new Store();
      const { shownName } = await import('../../image-name.ts');
      const found = wanted.map((name) => store.resolve(name));
      const shown = found.map((image) => describe(image, namesOf(image)));
      if (flags.format === undefined) console.log(JSON.stringify(shown, undefined, 4));
      else {
        const { format } = await import('../../format.ts');
        for (const one of shown) console.log(format(flags.format, one));
      }

      function namesOf({ descriptor }: Image): string[] {
        return store
          .images()
          .filter(({ name, manifest }) => store.image(manifest, name).descriptor.digest === descriptor.digest)
          .map(({ name }) => shownName(name));
      }
    });
};

const describe = ({ descriptor, manifest, config }: Image, names: readonly string[]) => ({
  Id: manifest.config.digest,
  RepoTags: names.filter((name) => !name.includes('@')),
  RepoDigests: [...new Set(names.map((name) => `${name.replace(/@.*|:[^:/]*$/, '')}@${descriptor.digest}`))],
  Created: config.created ?? '',
  Author: config.author ?? '',
  Architecture: config.architecture,
  ...(config.variant === undefined ? {} : { Variant: config.variant }),
  Os: config.os,
  Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
  Config: config.config ?? {},
  RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
});
