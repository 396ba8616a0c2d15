/** What bin/tslab-oci runs, unless there is a snapshot. */
import '../compile-cache.ts';

const { main } = await import('./main.ts');
await main();
