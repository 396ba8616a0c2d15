/** tslab image rm: takes a name away, and with the last one the image. */
import type { Command } from 'commander';
import type { Store } from '../../../image/store/store.ts';

export const command = (image: Command): void => {
  image
    .command('rm')
    .description('take names away, and what no other name and no container needs')
    .argument('<image...>', 'names, or the beginnings of ids')
    .option('-f, --force', 'by an id, all names of the image')
    .action(async (wanted: string[], flags: { force?: boolean }) => {
      const { Store } = await import('../../../image/store/store.ts');
      const { shownName } = await import('../../image-name.ts');
      using store = new Store();
      for (const name of wanted.flatMap((one) => namesFor(store, one, flags.force === true))) {
        store.untag(name);
        console.log(`untagged ${shownName(name)}`);
      }
      // Broken off downloads may be gone on with.
      const { blobs, layers } = await store.prune({ keepPartials: true });
      for (const digest of [...blobs, ...layers]) console.log(`deleted ${digest}`);
    });
};

/** @throws Error if an id has several names, which may be more than its owner has in mind. */
function namesFor(store: Store, wanted: string, force: boolean): string[] {
  const { name, descriptor } = store.resolve(wanted);
  const id = wanted.replace(/^sha256:/, '');
  if (name === undefined || !/^[0-9a-f]{6,64}$/.test(id)) return name === undefined ? [] : [name];
  const names = store
    .images()
    .filter((one) => store.image(one.manifest).descriptor.digest === descriptor.digest)
    .map((one) => one.name);
  if (names.length === 1 || force || names.some((one) => one === name && one.includes(`/${wanted}:`)))
    return names;
  throw new Error(`image ${wanted}: it has ${names.length} names (${names.join(', ')}); say one, or --force`);
}
