/** Lesson 7: root inside, an ordinary user outside. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { mapText } from '../../src/steps/id-map.ts';
import { newNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[user]', 'linux.uidMappings', 'linux.gidMappings'];

export default function user(spec: Spec, facts: Facts): Draft[] {
  const wanted = namespace(spec, 'user');
  if (!wanted || wanted.path !== undefined) return newNamespace(spec, 'user');
  const { uidMappings = [], gidMappings = [] } = spec.linux ?? {};
  const common = { at: 'host', phase: 'identity', kind: 'write', dir: 'proc' } as const;
  const becomeRoot = { at: 'child', phase: 'identity', field: 'linux.uidMappings' } as const;
  return [
    ...newNamespace(spec, 'user'),
    // An unprivileged writer of gid_map must first give up setgroups(2): else it could shed a group that denies access
    // (user_namespaces(7), "Defining user and group ID mappings").
    ...(facts.uid === 0
      ? []
      : [{ ...common, path: 'setgroups', data: 'deny', field: 'linux.gidMappings' } as const]),
    { ...common, path: 'uid_map', data: mapText(uidMappings), field: 'linux.uidMappings' },
    { ...common, path: 'gid_map', data: mapText(gidMappings), field: 'linux.gidMappings' },
    { ...becomeRoot, kind: 'setgid', gid: 0 },
    { ...becomeRoot, kind: 'setuid', uid: 0 },
  ];
}
