/** A container's state as JSON: runtime.md, "State", and what runc adds to it. */
import { statusOf } from '../runtime/lifecycle.ts';
import type { State } from '../runtime/state.ts';

export function describe(state: State) {
  const status = statusOf(state);
  const { id, created, spec, bundle } = state;
  return {
    ociVersion: '1.3.0',
    id,
    status,
    pid: status === 'stopped' ? 0 : state.pid,
    bundle: bundle ?? '',
    rootfs: spec.root?.path ?? '',
    created,
    owner: '',
    ...(spec.annotations ? { annotations: spec.annotations } : {}),
  };
}
