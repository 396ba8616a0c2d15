/**
 * What a config says about the network. OCI leaves bridges and ports to engines, which make the namespace themselves;
 * tslab is its own engine, so its wishes stand in annotations, and the stage makes steps of them.
 */
import { namespace, type Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import { type Published, parsePublish } from './publish.ts';

/** `none`, `host`, `bridge` or `container:NAME`. */
export const NETWORK_ANNOTATION = 'org.tslab.network';
/** The container's IPv4 address on the bridge; without it, the first that is free. */
export const ADDRESS_ANNOTATION = 'org.tslab.network.address';
/** Ports with commas between them: `8080:80,127.0.0.1:5353:53/udp`. */
export const PUBLISH_ANNOTATION = 'org.tslab.network.publish';

export interface NetworkWish {
  mode: 'none' | 'host' | 'bridge' | 'container';
  publish: readonly Published[];
}

/** @throws PlanError naming the annotation. */
export function networkWish(spec: Spec): NetworkWish {
  const asked = spec.annotations?.[NETWORK_ANNOTATION] ?? 'none';
  const mode = asked.startsWith('container:') ? 'container' : asked;
  const field = `annotations[${NETWORK_ANNOTATION}]`;
  if (mode !== 'none' && mode !== 'host' && mode !== 'bridge' && mode !== 'container')
    throw new PlanError(`${field}: ${asked}: it takes none, host, bridge or container:NAME`);
  const publish = ports(spec);
  if (publish.length > 0 && mode !== 'bridge')
    throw new PlanError(
      `annotations[${PUBLISH_ANNOTATION}]: only a container on the bridge has ports to publish`,
    );
  const own = namespace(spec, 'network');
  if (mode === 'bridge' && (own === undefined || own.path !== undefined))
    throw new PlanError(`${field}: bridge needs a new network namespace in linux.namespaces`);
  return { mode, publish };
}

function ports(spec: Spec): Published[] {
  const text = spec.annotations?.[PUBLISH_ANNOTATION] ?? '';
  if (text === '') return [];
  try {
    return text.split(',').map((one) => parsePublish(one, `annotations[${PUBLISH_ANNOTATION}]:`));
  } catch (error) {
    throw new PlanError((error as Error).message);
  }
}
