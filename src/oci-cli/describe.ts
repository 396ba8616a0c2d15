/** A container's state as JSON: runtime.md, "State", and what runc adds to it. */
import { readFileSync } from 'node:fs';
import { statusOf } from '../runtime/lifecycle.ts';
import { type State, uidOfState } from '../runtime/state.ts';

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
    owner: ownerOf(id),
    ...(spec.annotations ? { annotations: spec.annotations } : {}),
  };
}

/** By name, where it has one: passwd(5). */
function ownerOf(id: string): string {
  const uid = uidOfState(id);
  if (uid === undefined) return '';
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    return (
      lines.map((line) => line.split(':')).find(([, , number]) => number === String(uid))?.[0] ?? `#${uid}`
    );
  } catch {
    return `#${uid}`;
  }
}
