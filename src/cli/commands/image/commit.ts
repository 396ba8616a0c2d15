/** tslab image commit: a container's changes become a layer, and its image with that layer a new one. */
import { type Command, Option } from 'commander';
import { collect } from '../../spec-flags.ts';

interface Flags {
  author?: string;
  message?: string;
  change?: string[];
  pause: 'true' | 'false';
}

export const command = (image: Command): void => {
  image
    .command('commit')
    .description("make an image of a container's files; one that runs is paused meanwhile")
    .argument('<container>', 'a name, or the beginning of an id')
    .argument('<name>', 'of the image')
    .option('-a, --author <text>', 'who made it')
    .option('-m, --message <text>', 'for the history')
    .option('-c, --change <line>', "a Dockerfile's line for its config, such as 'ENV A=1'", collect)
    .addOption(
      new Option('--pause <bool>', 'false lets it go on: files may not fit together')
        .choices(['true', 'false'])
        .default('true'),
    )
    .action(async (container: string, name: string, flags: Flags) => {
      const { imageOnTop } = await import('../../../image/build.ts');
      const { changedBy } = await import('../../../image/dockerfile.ts');
      const { imageOf, layered } = await import('../../../image/of-container.ts');
      const { packIntoStore } = await import('../../../image/layer/pack.ts');
      const { Store } = await import('../../../image/store/store.ts');
      const { findContainer } = await import('../../../runtime/containers.ts');
      const { whilePaused } = await import('../../../runtime/paused.ts');
      const { stateOf } = await import('../../../runtime/state.ts');
      const { newName } = await import('../../image-name.ts');
      const full = newName(name);
      const { id, spec } = findContainer(container);
      using store = new Store();
      store.hold();
      const base = imageOf(store, id, spec);
      const pack = () => packIntoStore(store, layered(id, spec).upper);
      const running = flags.pause === 'true' ? stateOf(id) : undefined;
      const layer = await (running ? whilePaused(running, pack, note) : pack());
      const words = {
        createdBy: spec.process?.args.join(' ') ?? '',
        ...(flags.author === undefined ? {} : { author: flags.author }),
        ...(flags.message === undefined ? {} : { comment: flags.message }),
      };
      const config = changedBy(flags.change ?? [], base.config.config);
      const made = imageOnTop(store, base, layer, words, config);
      store.tag(full, made);
      console.log(store.image(made).manifest.config.digest);
    });
};

const note = (text: string) => console.error(`tslab: note: ${text}`);
