/** Lesson 6: a network of one's own. It starts out empty; even lo is down. */
import type { Facts } from '../../src/facts/facts.ts';
import { INIT_LAYER_ANNOTATION } from '../../src/oci/annotations.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { newNamespace } from '../../src/steps/join.ts';
import { addressOf, attach, netlink } from '../../src/steps/net/attach.ts';
import { netDevices } from '../../src/steps/net/devices.ts';
import { initLayerFiles, networkFiles } from '../../src/steps/net/files.ts';
import { LO, linkUp } from '../../src/steps/net/links.ts';
import {
  ADDRESS_ANNOTATION,
  NETWORK_ANNOTATION,
  networkWish,
  PUBLISH_ANNOTATION,
} from '../../src/steps/net/spec.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = [
  'linux.namespaces[network]',
  'linux.netDevices',
  `annotations[${NETWORK_ANNOTATION}]`,
  `annotations[${ADDRESS_ANNOTATION}]`,
  `annotations[${PUBLISH_ANNOTATION}]`,
];

export default function net(spec: Spec, facts: Facts): Draft[] {
  const { mode } = networkWish(spec);
  return [
    ...newNamespace(spec, 'network'),
    ...loopback(spec),
    ...(mode === 'bridge' ? attach(spec, facts) : []),
    ...netDevices(spec, facts),
    ...files(spec, facts, mode === 'bridge'),
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

function files(spec: Spec, { network }: Facts, bridged: boolean): Draft[] {
  const { annotations = {} } = spec;
  const layer = annotations[INIT_LAYER_ANNOTATION];
  const wanted = network && annotations[NETWORK_ANNOTATION] !== undefined;
  if (!wanted) return layer === undefined ? [] : initLayerFiles(spec, layer, undefined);
  // Joined to another container's network, the address is the other's, and whoever built the config knows it.
  const address = bridged ? addressOf(spec, network) : annotations[ADDRESS_ANNOTATION];
  return layer === undefined
    ? networkFiles(spec, network, address)
    : initLayerFiles(spec, layer, network, address);
}
