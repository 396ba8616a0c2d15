/** Lesson 5: System V IPC objects and POSIX message queues of one's own. */
import type { Facts } from '../../src/facts/facts.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { newNamespace } from '../../src/steps/join.ts';
import type { Draft } from '../../src/steps/stage.ts';

export const owns = ['linux.namespaces[ipc]'];

export default function ipc(spec: Spec, _facts: Facts): Draft[] {
  return newNamespace(spec, 'ipc');
}
