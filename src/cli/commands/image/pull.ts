/** tslab image pull: an image from a registry into this user's store. */
import type { Command } from 'commander';
import { judgeOf, type LimitFlags, limitFlags } from '../../limit-flags.ts';
import { type RegistryFlags, registryFlags } from '../../registry-flags.ts';

export const command = (image: Command): void => {
  limitFlags(
    registryFlags(
      image
        .command('pull')
        .description('fetch an image from a registry')
        .argument('<name>', 'as docker has it: alpine, alpine:3.20, user/app, host:5000/app, name@sha256:…')
        .option('--platform <os/arch[/variant]>', 'of an image for several (default: as this machine is)'),
    ),
  ).action(async (name: string, flags: RegistryFlags & LimitFlags & { platform?: string }) => {
    const { parsePlatform } = await import('../../../image/platform.ts');
    const { fullName, parseReference } = await import('../../../image/reference.ts');
    const { pull } = await import('../../../image/registry/pull.ts');
    const { Store } = await import('../../../image/store/store.ts');
    const { transfer } = await import('../../transfer.ts');
    const reference = parseReference(name);
    const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
    using store = new Store();
    const limited = await judgeOf(store, flags);
    await transfer(reference, flags, async (options) => {
      const { digest } = await pull(reference, store, {
        ...options,
        platform,
        judge: limited?.judge,
        maxSize: limited?.limits.maxBytes,
      });
      console.log(`${fullName({ ...reference, digest })}`);
    });
  });
};
