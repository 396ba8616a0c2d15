/** What a learner's stage may do beyond being well-formed, in the place of a lesson's own. */
import type { Facts } from '../facts/facts.ts';
import type { Spec } from '../oci/spec.ts';
import type { Policy } from '../plan/validate.ts';
import { treesOf } from '../steps/cgroup/place.ts';
import { defaultDevicePaths } from '../steps/devices.ts';
import type { Draft } from '../steps/stage.ts';

/** It may use on the host's side what the lesson's own stage does there, and the config's paths. */
export function policyFor(spec: Spec, facts: Facts, reference: readonly Draft[]): Policy {
  const onHost = reference.filter((draft) => draft.at === 'host').map((draft) => draft.kind);
  const sources = (spec.mounts ?? []).filter(
    (mount) => mount.type === 'bind' || mount.options?.some((o) => o === 'bind' || o === 'rbind'),
  );
  const { own, handOut } = cgroups(spec, facts);
  return {
    hostKinds: [...new Set<Draft['kind']>(['clone', ...(own[0] ? onCgroups : []), ...onHost])],
    hostPaths: [
      spec.root?.path,
      ...sources.map((mount) => mount.source),
      ...(spec.linux?.namespaces ?? []).map(({ path }) => path),
      ...defaultDevicePaths,
      ...own,
    ].filter((path) => path !== undefined),
    trees: [...own, ...handOut],
    argv: spec.process?.args ?? [],
    envp: spec.process?.env ?? [],
  };
}

/** What one does with cgroups, even where this config asks for no limit. */
const onCgroups = ['mkdir', 'write'] as const;

/** The container's directories in the trees, and the files above them by which a v2 tree hands out controllers. */
function cgroups({ linux }: Spec, { cgroup }: Facts): { own: string[]; handOut: string[] } {
  const trees = linux?.cgroupsPath && cgroup.writable ? treesOf(linux.cgroupsPath, cgroup) : [];
  return {
    own: trees.map(({ own }) => own),
    handOut: trees
      .filter(({ v2 }) => v2)
      .flatMap(({ parents }) => parents.map((one) => `${one}/cgroup.subtree_control`)),
  };
}
