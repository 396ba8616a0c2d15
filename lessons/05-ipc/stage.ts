/** Lesson 5: System V IPC objects and POSIX message queues of one's own. */
import type { Facts } from '../../src/facts/facts.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { newNamespace } from '../../src/steps/join.ts';
import { mountSteps } from '../../src/steps/mounts.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[ipc]'];

export default function ipc(spec: Spec, facts: Facts): Draft[] {
  return [...newNamespace(spec, 'ipc'), ...ownQueues(spec, facts)];
}

/** An mqueue file system shows the queues of its mounter's IPC namespace: one that is joined is joined by then. */
function ownQueues(spec: Spec, facts: Facts): Draft[] {
  if (!namespace(spec, 'ipc') || !namespace(spec, 'mount')) return [];
  // #region queues
  return (spec.mounts ?? []).flatMap((mount, i) =>
    mount.type === 'mqueue' ? mountSteps(spec, i, facts) : [],
  );
  // #endregion
}
