/** What a learner's stage may do beyond being well-formed, in the place of a lesson's own. */
import type { Spec } from '../oci/spec.ts';
import type { Policy } from '../plan/validate.ts';
import { defaultDevicePaths } from '../steps/devices.ts';
import type { Draft } from '../steps/stage.ts';

/** It may use on the host's side what the lesson's own stage does there, and the config's paths. */
export function policyFor(spec: Spec, reference: readonly Draft[]): Policy {
  const onHost = reference.filter((draft) => draft.at === 'host').map((draft) => draft.kind);
  const sources = (spec.mounts ?? []).filter(
    (mount) => mount.type === 'bind' || mount.options?.some((o) => o === 'bind' || o === 'rbind'),
  );
  return {
    hostKinds: [...new Set<Draft['kind']>(['clone', ...onHost])],
    hostPaths: [
      spec.root?.path,
      ...sources.map((mount) => mount.source),
      ...(spec.linux?.namespaces ?? []).map(({ path }) => path),
      ...defaultDevicePaths,
    ].filter((path) => path !== undefined),
    argv: spec.process?.args ?? [],
    envp: spec.process?.env ?? [],
  };
}
