/** Lesson 4: a name of one's own. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { newNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[uts]', 'hostname', 'domainname'];

export default function uts(spec: Spec, _facts: Facts): Draft[] {
  if (!namespace(spec, 'uts')) return [];
  const { hostname, domainname } = spec;
  const common = { at: 'child', phase: 'names' } as const;
  return [
    ...newNamespace(spec, 'uts'),
    ...(hostname === undefined
      ? []
      : [{ ...common, kind: 'sethostname', name: hostname, field: 'hostname' } as const]),
    ...(domainname === undefined
      ? []
      : [{ ...common, kind: 'setdomainname', name: domainname, field: 'domainname' } as const]),
  ];
}
