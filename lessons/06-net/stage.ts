/** Lesson 6: a network of one's own. It starts out empty; even lo is down. */
import type { Facts } from '../../src/facts/facts.ts';
import { INIT_LAYER_ANNOTATION } from '../../src/oci/annotations.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { newNamespace } from '../../src/steps/join.ts';
import { addAddress, addDefaultRoute } from '../../src/steps/net/addresses.ts';
import { netlink, type Plug, plugOf, sharedBridge, sharedRules } from '../../src/steps/net/attach.ts';
import { netDevices } from '../../src/steps/net/devices.ts';
import { initLayerFiles, networkFiles } from '../../src/steps/net/files.ts';
import { LO, linkInto, linkUp, newVeth } from '../../src/steps/net/links.ts';
import { ADDRESS_ANNOTATION, NETWORK_ANNOTATION, PUBLISH_ANNOTATION } from '../../src/steps/net/spec.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = [
  'linux.namespaces[network]',
  'linux.netDevices',
  `annotations[${NETWORK_ANNOTATION}]`,
  `annotations[${ADDRESS_ANNOTATION}]`,
  `annotations[${PUBLISH_ANNOTATION}]`,
];

export default function net(spec: Spec, facts: Facts): Draft[] {
  const plug = plugOf(spec, facts);
  return [
    ...newNamespace(spec, 'network'),
    ...loopback(spec),
    ...(plug ? onBridge(spec, facts, plug) : []),
    ...netDevices(spec, facts),
    ...files(spec, facts, plug),
  ];
}

function loopback(spec: Spec): Draft[] {
  const wanted = namespace(spec, 'network');
  // A namespace that is joined is already as its maker wanted it.
  if (!wanted || wanted.path !== undefined) return [];
  // #region lo
  return [netlink('child', linkUp(LO), 'linux.namespaces')];
  // #endregion
}

function onBridge(spec: Spec, facts: Facts, plug: Plug): Draft[] {
  return [
    ...sharedBridge(facts), // the bridge and its address, if nobody has made them yet
    ...cable(plug),
    ...sharedRules(spec, facts, plug), // translation of addresses, published ports
    ...inside(plug),
  ];
}

/** The name of the host's end is made of the address, so it is the claim to it: no two links have one name. */
function cable({ bridge, hostEnd, eth0 }: Plug): Draft[] {
  // #region cable
  const { messages, pidAt } = newVeth(hostEnd, eth0);
  const made = { ...netlink('host', messages, `annotations[${ADDRESS_ANNOTATION}]`), pidAt };
  // #endregion
  return [made, netlink('host', linkInto(hostEnd.name, bridge), `annotations[${NETWORK_ANNOTATION}]`)];
}

function inside({ address, prefix, gateway, eth0 }: Plug): Draft[] {
  const field = `annotations[${NETWORK_ANNOTATION}]`;
  return [
    netlink('child', addAddress(eth0.index, { address, prefix }), `annotations[${ADDRESS_ANNOTATION}]`),
    netlink('child', linkUp(eth0.index), field),
    netlink('child', addDefaultRoute(gateway), field),
  ];
}

function files(spec: Spec, { network }: Facts, plug: Plug | undefined): Draft[] {
  const { annotations = {} } = spec;
  const layer = annotations[INIT_LAYER_ANNOTATION];
  const wanted = network && !network.plugOnly && annotations[NETWORK_ANNOTATION] !== undefined;
  if (!wanted) return layer === undefined ? [] : initLayerFiles(spec, layer, undefined);
  // Joined to another container's network, the address is the other's, and whoever built the config knows it.
  const address = plug?.address ?? annotations[ADDRESS_ANNOTATION];
  return layer === undefined
    ? networkFiles(spec, network, address)
    : initLayerFiles(spec, layer, network, address);
}
