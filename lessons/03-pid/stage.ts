/** Lesson 3: the first process of a world of its own, PID 1. */
import type { Facts } from '../../src/facts/facts.ts';
import { INIT_ANNOTATION } from '../../src/oci/annotations.ts';
import { namespace, type Spec } from '../../src/oci/spec.ts';
import { joinNamespace } from '../../src/steps/join.ts';
import { mountSteps } from '../../src/steps/mounts.ts';
import type { Draft } from '../../src/steps/stage.ts';

export { INIT_ANNOTATION };

export const owns = ['linux.namespaces[pid]', `annotations[${INIT_ANNOTATION}]`];

export default function pid(spec: Spec, facts: Facts): Draft[] {
  const wanted = namespace(spec, 'pid');
  if (!wanted) return [];
  return [...birth(wanted.path), ...freshProc(spec, facts), ...init(spec)];
}

function birth(path: string | undefined): Draft[] {
  if (path !== undefined) return joinNamespace('pid', path);
  // #region birth
  return [{ at: 'host', phase: 'clone', kind: 'clone', flags: ['CLONE_NEWPID'], field: 'linux.namespaces' }];
  // #endregion
}

/** A proc file system belongs to the PID namespace of whoever mounts it: the old one would go on showing the host. */
function freshProc(spec: Spec, facts: Facts): Draft[] {
  // #region proc
  return (spec.mounts ?? []).flatMap((mount, i) =>
    mount.type === 'proc' && namespace(spec, 'mount') ? mountSteps(spec, i, facts) : [],
  );
  // #endregion
}

/** PID 1 must reap whom nobody else waits for, and a signal that it doesn't handle never reaches it (pid_namespaces(7)). */
function init(spec: Spec): Draft[] {
  const field = `annotations[${INIT_ANNOTATION}]`;
  if (spec.annotations?.[INIT_ANNOTATION] !== 'true') return [];
  // #region init
  return [{ at: 'child', phase: 'init', kind: 'init', field }];
  // #endregion
}
