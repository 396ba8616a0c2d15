/** tslab image pull: an image from a registry into this user's store. */
import type { Command } from 'commander';
import { type RegistryFlags, registryFlags } from '../../registry-flags.ts';

export const command = (image: Command): void => {
  registryFlags(
    image
      .command('pull')
      .description('fetch an image from a registry')
      .argument('<name>', 'as docker has it: alpine, alpine:3.20, user/app, host:5000/app, name@sha256:…')
      .option('--platform <os/arch[/variant]>', 'of an image for several (default: as this machine is)'),
  ).action(async (name: string, flags: RegistryFlags & { platform?: string }) => {
    const { parsePlatform } = await import('../../../image/platform.ts');
    const { fullName, parseReference } = await import('../../../image/reference.ts');
    const { pull } = await import('../../../image/registry/pull.ts');
    const { Store } = await import('../../../image/store/store.ts');
    const { transfer } = await import('../../transfer.ts');
    const reference = parseReference(name);
    const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
    using store = new Store();
    await transfer(reference, flags, async (options) => {
      const { digest } = await pull(reference, store, { ...options, platform });
      console.log(`${fullName({ ...reference, digest })}`);
    });
  });
};
