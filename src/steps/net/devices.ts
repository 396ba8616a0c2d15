/** Links of the host that the container gets for itself (config-linux.md, "Network Devices"). */
import type { Facts } from '../../facts/facts.ts';
import { namespace, type Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import type { Draft } from '../stage.ts';
import { addAddress } from './addresses.ts';
import { netlink } from './attach.ts';
import { linkUp, moveLink } from './links.ts';

/**
 * A moved link keeps its MTU and hardware address, and loses its addresses, which are given back to it.
 * When the namespace goes, the kernel moves a physical link back to the host's first namespace, and removes a virtual
 * one (network_namespaces(7)); so there is nothing to undo.
 *
 * @throws PlanError if there is no such link, the name can't be one, or there is no namespace to move it to.
 */
export function netDevices(spec: Spec, facts: Facts): Draft[] {
  return Object.entries(spec.linux?.netDevices ?? {}).flatMap(([name, wish]) => {
    const field = `linux.netDevices.${name}`;
    const device = facts.network?.devices[name];
    const inside = wish.name ?? name;
    if (!namespace(spec, 'network'))
      throw new PlanError(`${field}: needs a network namespace in linux.namespaces to be moved to`);
    if (!device) throw new PlanError(`${field}: the host has no such link; see: ip link`);
    if (!isLinkName(inside))
      throw new PlanError(`${field}.name: ${JSON.stringify(inside)} can't be a link's name`);
    const { messages, pidAt } = moveLink(device.index, inside);
    return [
      { ...netlink('host', messages, field), pidAt },
      ...device.addresses.map((address) => netlink('child', addAddress(device.index, address), field)),
      netlink('child', linkUp(inside), field),
    ];
  });
}

/** dev_valid_name() of the kernel: 15 bytes, no slash, colon or white space. */
const isLinkName = (name: string) => /^[^/:\s]{1,15}$/.test(name) && name !== '.' && name !== '..';
