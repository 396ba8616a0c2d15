/** What a learner's stage may do beyond being well-formed, in the place of a lesson's own. */
import type { Facts } from '../facts/facts.ts';
import type { Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Policy } from '../plan/validate.ts';
import { treesOf } from '../steps/cgroup/place.ts';
import { defaultDevicePaths } from '../steps/devices.ts';
import { layersOf } from '../steps/overlay/spec.ts';
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
      ...layerFolders(spec),
      ...defaultDevicePaths,
      ...own,
    ].filter((path) => path !== undefined),
    trees: [...own, ...handOut],
    argv: spec.process?.args ?? [],
    envp: spec.process?.env ?? [],
  };
}

/** A config whose layers make no sense gives none: the stage has to refuse it. */
function layerFolders(spec: Spec): readonly (string | undefined)[] {
  try {
    const { lower = [], upper, work } = layersOf(spec) ?? {};
    return [...lower, upper, work];
  } catch (error) {
    if (error instanceof PlanError) return [];
    throw error;
  }
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
