/** tslab image df: the room that images and containers take, and what copies would take. */
import type { Command } from 'commander';

export const command = (image: Command): void => {
  image
    .command('df')
    .description('tell how much room images, layers, containers and volumes take on disk')
    .option('--json', 'bytes, as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { roomTaken } = await import('../../../image/room.ts');
      const rows = roomTaken();
      if (json) {
        console.log(JSON.stringify(rows, undefined, 2));
        return;
      }
      const { table } = await import('../../table.ts');
      const head = ['WHAT', 'COUNT', 'ON DISK', 'AS COPIES'];
      console.log(
        table(
          head,
          rows.map(({ what, count, bytes, asCopies }) => [
            what,
            String(count),
            mebibytes(bytes),
            asCopies === undefined ? '' : mebibytes(asCopies),
          ]),
        ),
      );
    });
};

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
