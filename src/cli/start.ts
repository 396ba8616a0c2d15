/** What the shim runs: main, with its compiled code kept from one start to the next. */
import { constants, enableCompileCache } from 'node:module';
import { join } from 'node:path';

const cached = enableCompileCache(join(import.meta.dirname, '../cache'));

// Someone else's checkout. Never for root, whose HOME under sudo may be a user's: a cache is code.
const home = process.getuid?.() === 0 ? undefined : process.env.HOME;
if (cached.status === constants.compileCacheStatus.FAILED && home) {
  enableCompileCache(join(home, '.cache/tslab'));
}

const { commands, otherwise } = await import('./commands.ts');
const { main } = await import('./main.ts');
await main(commands, otherwise);
