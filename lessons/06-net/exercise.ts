/** Lesson 6: a network of one's own. It starts out empty; even lo is down. */
import {
  type Draft,
  type Facts,
  namespace,
  netlink,
  newNamespace,
  newVeth,
  type Plug,
  plugOf,
  type Spec,
} from 'tslab';

const field = 'linux.namespaces';

export default function net(spec: Spec, facts: Facts): Draft[] {
  // If the config asks for the bridge: which address, which gateway, which bridge, and the names of the cable's two ends.
  const plug = plugOf(spec, facts);
  return [
    ...newNamespace(spec, 'network'), // as in lesson 5: a new one, or the one that the config names
    ...loopback(spec),
    ...(plug ? [...cable(plug), ...inside(plug)] : []),
  ];
}

function loopback(spec: Spec): Draft[] {
  // A namespace that is joined is already as its maker wanted it.
  if (namespace(spec, 'network')?.path !== undefined) return [];
  // TODO 1: lo is there, and down. `linkUp(LO)` is the request to set it up. Whose hand has to send it? (See `netlink` below.)
  return [];
}

/** The bridge is there, with the gateway's address. */
function cable({ hostEnd, eth0 }: Plug): Draft[] {
  // The cable: one end here, one with the child, whose PID the host hand writes into the message at `pidAt`.
  const { messages, pidAt } = newVeth(hostEnd, eth0);
  const made = { ...netlink('host', messages, field), pidAt };
  // TODO 2: Its end on the host lies loose. Plug it into the bridge: `linkInto` of tslab makes that request.
  return [made];
}

function inside(_plug: Plug): Draft[] {
  // TODO 3: Three requests for eth0: an address (addAddress), up (linkUp), and for the network a default route
  // (addDefaultRoute). The first two name the link by its number, `eth0.index`.
  return [];
}
