/** The image that a command names, from this host or from its registry. */
import { type Found, findImage } from '../image/find.ts';
import { NoSuchImage } from '../image/store/store.ts';

/**
 * @param pull missing, always or never.
 * @param hint what else the word may have meant: then no registry is asked, which need not hear of every such word.
 */
export async function imageFor(name: string, pull = 'missing', hint?: string): Promise<Found> {
  if (!['missing', 'always', 'never'].includes(pull))
    throw new Error(`--pull ${pull}: it takes missing, always or never`);
  if (pull !== 'always')
    try {
      return await findImage(name);
    } catch (error) {
      if (pull === 'never' || !(error instanceof NoSuchImage)) throw error;
      const said = error.message;
      if (hint !== undefined) throw new Error(`${said}. ${hint}`);
      console.error(`tslab: ${said}: pulling it`);
    }
  await fetch(name);
  return await findImage(name);
}

async function fetch(name: string): Promise<void> {
  const { parseReference } = await import('../image/reference.ts');
  const { pull } = await import('../image/registry/pull.ts');
  const { Store } = await import('../image/store/store.ts');
  const { transfer } = await import('./transfer.ts');
  const reference = parseReference(name);
  using store = new Store();
  await transfer(reference, {}, async (options) => {
    await pull(reference, store, options);
  });
}
