/** tslab image history: how an image came about, the last first. */
import type { Command } from 'commander';
import type { Image } from '../../../image/types.ts';

export const command = (image: Command): void => {
  image
    .command('history')
    .description('show how an image was made')
    .argument('<image>', 'a name, or the beginning of an id')
    .option('--json', 'as JSON')
    .option('--no-trunc', 'whole lines')
    .action(async (name: string, flags: { json?: boolean; trunc: boolean }) => {
      const { Store } = await import('../../../image/store/store.ts');
      const rows = linesOf(new Store().resolve(name));
      if (flags.json) console.log(JSON.stringify(rows, undefined, 2));
      else await print(rows, flags.trunc);
    });
};

interface Line {
  created: string;
  createdBy: string;
  comment: string;
  /** Of the layer's blob; undefined where the line made none. */
  size?: number;
}

/** Lines say whether they made a layer; layers that no line tells of are told at the end. */
function linesOf({ manifest, config }: Image): Line[] {
  const layers = [...manifest.layers];
  const told = (config.history ?? []).map((line): Line => {
    const layer = line.empty_layer ? undefined : layers.shift();
    return {
      created: line.created ?? '',
      createdBy: line.created_by ?? '',
      comment: line.comment ?? '',
      ...(layer && { size: layer.size }),
    };
  });
  const untold = layers.map(
    ({ size }): Line => ({ created: '', createdBy: '', comment: 'no history', size }),
  );
  return [...told, ...untold].reverse();
}

async function print(rows: readonly Line[], short: boolean): Promise<void> {
  const { bytes } = await import('../../bytes.ts');
  const { table } = await import('../../table.ts');
  const { shown } = await import('../../../sys/at.ts');
  const cut = (text: string) => (short && text.length > 60 ? `${text.slice(0, 59)}…` : text);
  const plain = (text: string) => cut(shown(Buffer.from(text).toString('latin1')));
  const cells = rows.map(({ created, createdBy, comment, size }) => [
    created.slice(0, 10),
    plain(createdBy),
    size === undefined ? '-' : bytes(size),
    plain(comment),
  ]);
  console.log(table(['CREATED', 'CREATED BY', 'COMPRESSED', 'COMMENT'], cells));
}
