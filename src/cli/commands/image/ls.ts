/** tslab image ls: the images there are. */
import type { Command } from 'commander';

interface Row {
  Name: string;
  ID: string;
  Digest: string;
  Created: string;
  Size: number;
}

export const command = (image: Command): void => {
  image
    .command('ls')
    .description('list the images of this user')
    .option('-q, --quiet', 'ids alone')
    .option('--json', 'as JSON')
    .option('--format <template>', "a line for each, such as '{{.Name}} {{.Size}}'")
    .action(async (flags: { quiet?: boolean; json?: boolean; format?: string }) => {
      const list = await rows();
      if (flags.json) console.log(JSON.stringify(list, undefined, 2));
      else if (flags.quiet) for (const id of new Set(list.map(({ ID }) => ID))) console.log(short(id));
      else if (flags.format !== undefined) {
        const { format } = await import('../../format.ts');
        for (const row of list) console.log(format(flags.format, row));
      } else await print(list);
    });
};

/** Size is that of the blobs: what came over the network. */
async function rows(): Promise<Row[]> {
  const { Store } = await import('../../../image/store/store.ts');
  const { shownName } = await import('../../image-name.ts');
  const store = new Store();
  return store
    .images()
    .map(({ name, manifest }) => store.image(manifest, name))
    .map(({ name = '', descriptor, manifest, config }) => ({
      Name: shownName(name),
      ID: manifest.config.digest,
      Digest: descriptor.digest,
      Created: config.created ?? '',
      Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    }))
    .sort((a, b) => a.Name.localeCompare(b.Name));
}

async function print(list: readonly Row[]): Promise<void> {
  const { bytes } = await import('../../bytes.ts');
  const { table } = await import('../../table.ts');
  const cells = list.map(({ Name, ID, Created, Size }) => [
    Name,
    short(ID),
    Created.slice(0, 10),
    bytes(Size),
  ]);
  console.log(table(['IMAGE', 'ID', 'CREATED', 'COMPRESSED'], cells));
}

const short = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);
