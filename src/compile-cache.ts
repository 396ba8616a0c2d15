/** Keeps compiled code from one start to the next. Imported for that effect, before anything else; is one level below dist. */
import { constants, enableCompileCache } from 'node:module';
import { join } from 'node:path';

const cached = enableCompileCache(join(import.meta.dirname, '../cache'));

// Someone else's checkout. Never for root, whose HOME under sudo may be a user's: a cache is code.
const home = process.getuid?.() === 0 ? undefined : process.env.HOME;
if (cached.status === constants.compileCacheStatus.FAILED && home) {
  enableCompileCache(join(home, '.cache/tslab'));
}
