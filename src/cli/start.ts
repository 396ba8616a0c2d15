/** What the shim runs: main, with its compiled code kept from one start to the next. */
import { constants, enableCompileCache } from 'node:module';
import { join } from 'node:path';

const cached = enableCompileCache(join(import.meta.dirname, '../cache'));

// Someone else's checkout. Root never comes here (it may write anywhere), so nobody can plant code for it in a home.
if (cached.status === constants.compileCacheStatus.FAILED && process.env.HOME) {
  enableCompileCache(join(process.env.HOME, '.cache/tslab'));
}

await import('./main.ts');
