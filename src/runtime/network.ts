/** Which address a container on the bridge gets, also when many start at once. */
import type { Facts } from '../facts/facts.ts';
import { probe } from '../facts/probe.ts';
import { StartError } from '../launch/start-error.ts';
import type { Spec } from '../oci/spec.ts';
import { freeAddress } from '../steps/net/bridge.ts';
import { ADDRESS_ANNOTATION, networkWish } from '../steps/net/spec.ts';

const TRIES = 10;

/**
 * Settles on an address before the config is planned and kept. Two that choose the same one at once are told apart by
 * the kernel (see hostEnd): the second one's cable is EEXIST, everything is undone, and it chooses again, unless what
 * it was given by its asker went with the first try.
 *
 * @param start is called again with another address when it fails for that reason alone.
 */
export async function withAddress<T>(
  id: string,
  spec: Spec,
  start: (spec: Spec, facts: Facts) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const facts = probe(spec);
    const settled = settle(tries === 1 ? id : `${id} ${tries}`, spec, facts);
    try {
      return await start(settled, facts);
    } catch (error) {
      if (settled === spec || tries === TRIES || !isCollision(error)) throw error;
    }
  }
}

/**
 * Where a container begins to look follows from its name, so those that start at once hardly meet, and one that comes
 * back finds its old address, if nobody took it.
 */
export function settle(id: string, spec: Spec, { network }: Facts): Spec {
  if (!network || networkWish(spec).mode !== 'bridge' || spec.annotations?.[ADDRESS_ANNOTATION] !== undefined)
    return spec;
  const address = freeAddress(network, hash(id));
  return { ...spec, annotations: { ...spec.annotations, [ADDRESS_ANNOTATION]: address } };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  return [...Buffer.from(text)].reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
}

function isCollision(error: unknown): boolean {
  return (
    error instanceof StartError &&
    error.errno === 'EEXIST' &&
    error.step.from.field === `annotations[${ADDRESS_ANNOTATION}]`
  );
}
