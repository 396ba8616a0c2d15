/** An image that a command needs and this host lacks. */
import { parseReference } from '../image/reference.ts';
import { pull } from '../image/registry/pull.ts';
import { Store } from '../image/store.ts';
import { transfer } from './transfer.ts';

export async function pullImage(name: string): Promise<void> {
  const reference = parseReference(name);
  using store = new Store();
  await transfer(reference, {}, async (options) => {
    await pull(reference, store, options);
  });
}
