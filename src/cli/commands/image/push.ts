/** tslab image push: an image of this user's store to a registry. */
import type { Command } from 'commander';
import { type RegistryFlags, registryFlags } from '../../registry-flags.ts';

export const command = (image: Command): void => {
  registryFlags(
    image
      .command('push')
      .description('send an image to a registry')
      .argument('<name>', 'an image of the store')
      .argument('[destination]', 'under which name (default: the same)'),
  ).action(async (name: string, destination: string | undefined, flags: RegistryFlags) => {
    const { fullName, parseReference } = await import('../../../image/reference.ts');
    const { push } = await import('../../../image/registry/push.ts');
    const { Store } = await import('../../../image/store/store.ts');
    const { transfer } = await import('../../transfer.ts');
    using store = new Store();
    const image = store.resolve(name);
    const reference = parseReference(destination ?? image.name ?? name);
    await transfer(reference, flags, async (options) => {
      const { digest } = await push(image, store, reference, options);
      console.log(`${fullName({ ...reference, digest })}`);
    });
  });
};
