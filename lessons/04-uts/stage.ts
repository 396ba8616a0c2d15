/** Lesson 4: a name of one's own. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { PlanError } from '../../src/plan/error.ts';
import { newNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[uts]', 'hostname', 'domainname'];

/** __NEW_UTS_LEN (uname(2)). */
const MOST = 64;

export default function uts(spec: Spec, _facts: Facts): Draft[] {
  const { hostname, domainname } = spec;
  checkName('hostname', hostname, spec);
  checkName('domainname', domainname, spec);
  if (!namespace(spec, 'uts')) return [];
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

/** The host's own name is not ours to change, and the kernel cuts nothing short: it refuses. */
function checkName(field: string, name: string | undefined, spec: Spec): void {
  if (name === undefined) return;
  const bytes = Buffer.byteLength(name);
  if (bytes > MOST)
    throw new PlanError(`${field} has ${bytes} bytes; the kernel takes ${MOST} (sethostname(2))`);
  if (!namespace(spec, 'uts'))
    throw new PlanError(
      `${field}: without a namespace of type uts in linux.namespaces it would be the host's own`,
    );
}
