/** tslab image tag: one more name for an image. */
import type { Command } from 'commander';

export const command = (image: Command): void => {
  image
    .command('tag')
    .description('give an image one more name')
    .argument('<image>', 'a name, or the beginning of an id')
    .argument('<name>', 'the new one')
    .action(async (wanted: string, name: string) => {
      const { Store } = await import('../../../image/store/store.ts');
      const { newName } = await import('../../image-name.ts');
      using store = new Store();
      store.tag(newName(name), store.resolve(wanted).descriptor);
    });
};
