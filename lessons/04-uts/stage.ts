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
  checkName('hostname', spec);
  checkName('domainname', spec);
  return [...newNamespace(spec, 'uts'), ...names(spec)];
}

/** In the child: sethostname(2) names the namespace of whoever calls it. */
function names({ hostname, domainname }: Spec): Draft[] {
  const common = { at: 'child', phase: 'names' } as const;
  const steps: Draft[] = [];
  // #region names
  if (hostname !== undefined)
    steps.push({ ...common, kind: 'sethostname', name: hostname, field: 'hostname' });
  if (domainname !== undefined)
    steps.push({ ...common, kind: 'setdomainname', name: domainname, field: 'domainname' });
  // #endregion
  return steps;
}

/** The host's own name is not ours to change, and the kernel cuts nothing short: it refuses. */
function checkName(field: 'hostname' | 'domainname', spec: Spec): void {
  const name = spec[field];
  if (name === undefined) return;
  const bytes = Buffer.byteLength(name);
  if (bytes > MOST)
    throw new PlanError(`${field} has ${bytes} bytes; the kernel takes ${MOST} (sethostname(2))`);
  // #region refuse
  if (!namespace(spec, 'uts'))
    throw new PlanError(
      `${field}: without a namespace of type uts in linux.namespaces it would be the host's own`,
    );
  // #endregion
}
