/** What bin/tslab runs, unless the command is in the snapshot. */
import '../compile-cache.ts';

const { commands, otherwise } = await import('./commands.ts');
const { main } = await import('./main.ts');
await main(commands, otherwise);
