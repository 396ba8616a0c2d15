/** Lesson 7: root inside, an ordinary user outside. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { PlanError } from '../../src/plan/error.ts';
import { deniesSetgroups, idMapSteps, isMapped } from '../../src/steps/idmap.ts';
import { newNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[user]', 'linux.uidMappings', 'linux.gidMappings'];

export default function user(spec: Spec, facts: Facts): Draft[] {
  const wanted = namespace(spec, 'user');
  if (!wanted) return withoutNamespace(spec);
  if (wanted.path !== undefined) return [...newNamespace(spec, 'user'), ...becomeRoot(spec, false)];
  return [
    // #region order
    ...newNamespace(spec, 'user'),
    ...idMapSteps(spec, facts),
    ...becomeRoot(spec, deniesSetgroups(spec, facts)),
    // #endregion
  ];
}

function withoutNamespace(spec: Spec): Draft[] {
  for (const field of ['uidMappings', 'gidMappings'] as const)
    if (spec.linux?.[field]?.length)
      throw new PlanError(`linux.${field}: maps need a user namespace in linux.namespaces`);
  return [];
}

/**
 * Until now the child is nobody inside, with all capabilities; files that it makes would be nobody's, too. What it had
 * from the asker's groups, it gives up: they would open doors that no id inside explains.
 */
function becomeRoot(spec: Spec, keepsGroups: boolean): Draft[] {
  const { uidMappings, gidMappings } = spec.linux ?? {};
  const common = { at: 'child', phase: 'identity' } as const;
  const joined = namespace(spec, 'user')?.path !== undefined;
  return [
    ...(keepsGroups || joined
      ? []
      : // Where a namespace around us forbids it already (user_namespaces(7), "setgroups"), they stay.
        [
          {
            ...common,
            kind: 'setgroups',
            gids: [],
            tolerate: ['EPERM'],
            field: 'linux.gidMappings',
          } as const,
        ]),
    ...(joined || isMapped(gidMappings ?? [], 0)
      ? [{ ...common, kind: 'setgid', gid: 0, field: 'linux.gidMappings' } as const]
      : []),
    ...(joined || isMapped(uidMappings ?? [], 0)
      ? [{ ...common, kind: 'setuid', uid: 0, field: 'linux.uidMappings' } as const]
      : []),
  ];
}
