/** A bridge in the box, as the host's would be, for a config that asks to be plugged into one. */
import type { NetworkFacts } from '../facts/facts.ts';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { withOrigin } from '../runtime/plan.ts';
import { addAddress, fromNumber, toNumber } from '../steps/net/addresses.ts';
import { netlink } from '../steps/net/attach.ts';
import { BRIDGE, BRIDGE_INDEX, gateway, mac, PREFIX } from '../steps/net/bridge.ts';
import { LO, linkUp, newBridge } from '../steps/net/links.ts';
import { ADDRESS_ANNOTATION, NETWORK_ANNOTATION } from '../steps/net/spec.ts';

/** An address of the box that is not on the bridge's network: who reaches it, has a route (RFC 5737, TEST-NET-2). */
export const BEYOND = '198.51.100.1';
const mtu = 1500;

export interface BoxBridge {
  facts: NetworkFacts;
  /** In front of the learner's steps. */
  before: readonly Step[];
}

/** The network is the one that the config's address is of, so that a check chooses it. Undefined for all other configs. */
export function bridgeFor({ annotations }: Spec): BoxBridge | undefined {
  const address = annotations?.[ADDRESS_ANNOTATION];
  if (annotations?.[NETWORK_ANNOTATION] !== 'bridge' || address === undefined) return undefined;
  const base = fromNumber(toNumber(address) & (-1 << (32 - PREFIX)));
  const own = { address: gateway(base), prefix: PREFIX };
  const requests = [
    linkUp(LO),
    addAddress(LO, { address: BEYOND, prefix: 32 }),
    newBridge({ name: BRIDGE, index: BRIDGE_INDEX, mtu, mac: mac(own.address) }),
    addAddress(BRIDGE_INDEX, own),
    linkUp(BRIDGE_INDEX),
  ];
  return {
    facts: {
      links: ['lo', BRIDGE],
      routes: [{ link: BRIDGE, destination: base, prefix: PREFIX }],
      mtu,
      listening: [],
      forwarding: false,
      resolv: '',
      plugOnly: true,
      devices: {},
    },
    before: requests.map((one) => withOrigin(netlink('host', one, 'linux.namespaces'), 'box')),
  };
}
