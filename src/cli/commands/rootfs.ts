/** tslab rootfs: a folder that --rootfs takes. */
import type { Command } from 'commander';
import type { Spec } from '../../oci/spec.ts';

interface RootfsFlags {
  from: string;
  suite: string;
}

export const command = (program: Command): void => {
  program
    .command('rootfs')
    .description('make a root file system in a folder, for run --rootfs')
    .argument('<folder>', 'is not there yet, or empty')
    .argument('[program...]', 'with --from host: further programs to copy, with their libraries')
    .option('--from <template>', 'busybox, host, debootstrap, or an image', 'busybox')
    .option('--suite <name>', 'with --from debootstrap: which release', 'stable')
    .action(async (asked: string, programs: string[], { from, suite }: RootfsFlags) => {
      const { resolve } = await import('node:path');
      const { emptyFolder, templates } = await import('../../image/templates.ts');
      const folder = resolve(asked);
      const template = Object.hasOwn(templates, from) ? templates[from] : undefined;
      if (programs.length > 0 && from !== 'host')
        throw new Error(`--from ${from}: programs are copied with --from host alone`);
      emptyFolder(folder);
      if (template) template({ folder, programs, suite });
      else await fromImage(from, folder);
      console.log(folder);
    });
};

async function fromImage(name: string, folder: string): Promise<void> {
  const { mkdirSync } = await import('node:fs');
  const { mergeLayers } = await import('../../image/merge.ts');
  const { Store } = await import('../../image/store/store.ts');
  const { imageFor } = await import('../image-for.ts');
  const { setUserns } = await import('../userns-flags.ts');
  using store = new Store();
  store.hold(); // the layers stay until they are copied
  const { layers } = await imageFor(name);
  const spec: Spec = { ociVersion: '1.3.0' };
  setUserns(spec, {});
  mkdirSync(folder, { recursive: true });
  await mergeLayers(layers, folder, spec.linux);
}
