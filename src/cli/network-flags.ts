/** --network and --publish, as a config says them: namespaces, and annotations for what OCI has no field for. */
import type { Spec } from '../oci/spec.ts';
import { findContainer } from '../runtime/containers.ts';
import { parsePublish } from '../steps/net/publish.ts';
import { ADDRESS_ANNOTATION, NETWORK_ANNOTATION, PUBLISH_ANNOTATION } from '../steps/net/spec.ts';
import type { SpecFlags } from './spec-flags.ts';

/** @throws Error naming the flag and what it takes. */
export function setNetwork(spec: Spec, flags: SpecFlags): void {
  // A bridge costs a run of nft at each start, and most lessons are about something else: so it is asked for.
  const mode = flags.network ?? (flags.publish ? 'bridge' : 'none');
  const set = modes[mode.startsWith('container:') ? 'container' : mode];
  if (!set) throw new Error(`--network ${mode}: it takes none, bridge, host or container:NAME`);
  if (flags.publish && mode !== 'bridge') throw new Error(`--publish: needs --network bridge, not ${mode}`);
  set(spec, mode);
  if (!flags.publish) return;
  for (const port of flags.publish) parsePublish(port, '--publish');
  annotate(spec, { [PUBLISH_ANNOTATION]: flags.publish.join(',') });
}

const modes: Readonly<Record<string, (spec: Spec, mode: string) => void>> = {
  none: () => {},
  bridge: (spec) => annotate(spec, { [NETWORK_ANNOTATION]: 'bridge' }),
  host(spec) {
    spec.linux = { ...spec.linux, namespaces: others(spec, 'network') };
    annotate(spec, { [NETWORK_ANNOTATION]: 'host' });
  },
  container: joinContainer,
};

function joinContainer(spec: Spec, mode: string): void {
  const { id, pid, spec: target } = findContainer(mode.slice('container:'.length));
  if (pid === undefined) throw new Error(`--network ${mode}: ${id} has ended`);
  const address = target.annotations?.[ADDRESS_ANNOTATION];
  const types = (target.linux?.namespaces ?? []).map(({ type }) => type);
  // Its user namespace owns its network: only from inside the one may the other be entered (setns(2)).
  const joined = types.includes('user') ? (['user', 'network'] as const) : (['network'] as const);
  const { uidMappings: _uids, gidMappings: _gids, ...linux } = spec.linux ?? {};
  spec.linux = {
    // Who joins a user namespace takes its maps as well.
    ...(types.includes('user') ? linux : spec.linux),
    namespaces: [
      ...others(spec, ...joined),
      ...joined.map((type) => ({ type, path: `/proc/${pid}/ns/${type === 'network' ? 'net' : type}` })),
    ],
  };
  annotate(spec, { [NETWORK_ANNOTATION]: mode, ...(address ? { [ADDRESS_ANNOTATION]: address } : {}) });
}

const others = (spec: Spec, ...types: string[]) =>
  (spec.linux?.namespaces ?? []).filter(({ type }) => !types.includes(type));

function annotate(spec: Spec, annotations: Record<string, string>): void {
  spec.annotations = { ...spec.annotations, ...annotations };
}
