/** Lesson 6: a network of one's own. It starts out empty; even lo is down. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { newNamespace } from '../../src/steps/join.ts';
import { linkUp, NETLINK_ROUTE } from '../../src/steps/net/rtnetlink.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[network]'];

/** The loopback device is the first link of every network namespace. */
const LO = 1;

export default function net(spec: Spec, _facts: Facts): Draft[] {
  const wanted = namespace(spec, 'network');
  // A namespace that is joined is already as its maker wanted it.
  if (!wanted || wanted.path !== undefined) return newNamespace(spec, 'network');
  return [
    ...newNamespace(spec, 'network'),
    {
      at: 'child',
      phase: 'network',
      kind: 'netlink',
      protocol: NETLINK_ROUTE,
      messages: linkUp(LO).toString('base64'),
      field: 'linux.namespaces',
    },
  ];
}
