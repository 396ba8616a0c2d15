/** Which address a container on the bridge gets, also when many start at once. */
import type { Facts } from '../facts/facts.ts';
import { probe } from '../facts/probe.ts';
import { StartError } from '../launch/start-error.ts';
import type { Spec } from '../oci/spec.ts';
import { freeAddress } from '../steps/net/bridge.ts';
import { ADDRESS_ANNOTATION, networkWish } from '../steps/net/spec.ts';

const TRIES = 10;

/**
 * Writes the address that was chosen into the config that is kept. Two that choose the same one at once are told apart
 * by the kernel (see hostEnd): the second one's cable is EEXIST, everything is undone, and it chooses again.
 *
 * @param start is called again with another address when it fails for that reason alone.
 */
export async function withAddress<T>(
  spec: Spec,
  start: (spec: Spec, facts: Facts) => Promise<T>,
): Promise<[T, Spec]> {
  for (let tries = 1; ; tries++) {
    const facts = probe(spec);
    const settled = settle(spec, facts, tries);
    try {
      return [await start(settled, facts), settled];
    } catch (error) {
      if (settled === spec || tries === TRIES || !isCollision(error)) throw error;
    }
  }
}

/** The first free one, as a reader expects; after a collision, one where hardly anybody else looks. */
export function settle(spec: Spec, { network }: Facts, tries = 1): Spec {
  if (!network || networkWish(spec).mode !== 'bridge' || spec.annotations?.[ADDRESS_ANNOTATION] !== undefined)
    return spec;
  const from = tries === 1 ? 0 : Math.floor(Math.random() * 60_000);
  const address = freeAddress(network, from);
  return { ...spec, annotations: { ...spec.annotations, [ADDRESS_ANNOTATION]: address } };
}

function isCollision(error: unknown): boolean {
  return (
    error instanceof StartError &&
    error.errno === 'EEXIST' &&
    error.step.from.field === `annotations[${ADDRESS_ANNOTATION}]`
  );
}
