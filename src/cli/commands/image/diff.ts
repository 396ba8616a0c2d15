/** tslab image diff: which paths a container has changed, or two images differ in. */
import type { Command } from 'commander';
import type { Store } from '../../../image/store/store.ts';

export const command = (image: Command): void => {
  image
    .command('diff')
    .description('list paths: A added, C changed, D deleted')
    .argument('<a>', 'a container, against its image; or an image')
    .argument('[b]', 'another container or image, against the first')
    .option('--json', 'as JSON')
    .action(async (a: string, b: string | undefined, flags: { json?: boolean }) => {
      const { changes } = await import('../../../image/layer/changes.ts');
      const { Store } = await import('../../../image/store/store.ts');
      using store = new Store();
      const first = await stackOf(store, a);
      if (b === undefined && !first.below)
        throw new Error(`image diff ${a}: an image is compared with another; name that, too`);
      const [before, after] =
        b === undefined ? [first.below ?? [], first.all] : [first.all, (await stackOf(store, b)).all];
      const list = await changes(before, after);
      if (flags.json) console.log(JSON.stringify(list, undefined, 2));
      else for (const { kind, path } of list) console.log(`${kind} ${path}`);
    });
};

const note = (text: string) => console.error(`tslab: note: ${text}`);

/** Folders, lowest first; of a container also without its own. */
async function stackOf(store: Store, name: string): Promise<{ all: string[]; below?: string[] }> {
  const { layered } = await import('../../../image/of-container.ts');
  const { ensureLayers } = await import('../../../image/layer/unpack.ts');
  const { containers } = await import('../../../runtime/containers.ts');
  const container = containers().find(({ id }) => id === name || (name.length >= 6 && id.startsWith(name)));
  if (!container) return { all: await ensureLayers(store, store.resolve(name), { note }) };
  const { lower, upper } = layered(container.id, container.spec);
  return { all: [...lower, upper], below: lower };
}
