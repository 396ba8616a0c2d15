/** What can only be done in a mount tree of the container's own. */
import { isSet } from '../oci/fields.ts';
import { namespace, type Spec } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';

/**
 * Whether there is such a tree. Without one, each mount would be a mount of the host.
 *
 * @throws PlanError for a field that needs it, when the config asks for no mount namespace.
 */
export function hasTree(spec: Spec, fields: readonly string[]): boolean {
  if (namespace(spec, 'mount')) return true;
  const asked = fields.find((field) => isSet(spec, field));
  if (asked !== undefined)
    throw new PlanError(`config: ${asked}: it takes a mount namespace; add one to linux.namespaces`);
  return false;
}
