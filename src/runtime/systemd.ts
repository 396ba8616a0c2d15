/** `--systemd-cgroup`: where the scope of a container will be, and its properties later on (see steps/cgroup/scope.ts). */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupPaths } from '../evidence/cgroup.ts';
import type { Facts, SystemdFacts } from '../facts/facts.ts';
import { systemdFacts } from '../facts/systemd.ts';
import { inUserNamespace } from '../facts/userns.ts';
import { SYSTEMD_ANNOTATION } from '../oci/annotations.ts';
import type { Spec } from '../oci/spec.ts';
import type { Step } from '../plan/step.ts';
import { limitProperties } from '../steps/cgroup/properties.ts';
import type { Limit } from '../steps/cgroup/resources.ts';
import { counted, managerCall } from '../steps/cgroup/scope.ts';
import { scopeIn, scopeOf, scopePath } from '../steps/cgroup/scope-name.ts';
import { withOrigin } from './plan.ts';

/**
 * Settles on the path, so that all else works with one, whoever makes it.
 *
 * @param spec with a cgroupsPath of `slice:prefix:name`, or none.
 * @throws Error where systemd does not run or can't be asked, and for another path.
 */
export function withScope(id: string, spec: Spec): Spec {
  // Root in a user namespace is an ordinary user to the host's systemd.
  const manager = process.geteuid?.() === 0 && !inUserNamespace() ? 'system' : 'user';
  const { slice, unit } = scopeOf(spec.linux?.cgroupsPath, id, manager);
  if (!existsSync('/run/systemd/system'))
    // sd_booted(3)
    throw new Error(
      '--systemd-cgroup: systemd does not run here; leave it out, or tell the engine to use cgroupfs (podman --cgroup-manager cgroupfs)',
    );
  const cgroupsPath = join(rootOf(systemdFacts(manager)), scopePath(slice, unit));
  return {
    ...spec,
    annotations: { ...spec.annotations, [SYSTEMD_ANNOTATION]: manager },
    linux: { ...spec.linux, cgroupsPath },
  };
}

/** The step that tells systemd of other limits; none where it has no part in it, or knows none of them. */
export function propertySteps(spec: Spec, { systemd }: Facts, wanted: readonly Limit[]): Step[] {
  const properties = limitProperties(wanted);
  const { cgroupsPath } = spec.linux ?? {};
  if (!systemd || !cgroupsPath || properties.length === 0) return [];
  const { unit } = scopeIn(cgroupsPath);
  // Not for longer than until the next boot ("runtime"), when no such scope will be there.
  const values = [unit, 'true', ...counted(properties)];
  return [withOrigin(managerCall(systemd, 'SetUnitProperties', 'sba(sv)', ...values), 'cgroup')];
}

/** The cgroup below which that systemd has everything. The host's is its own first unit's; a user's has to be asked. */
function rootOf({ manager, busctl, env }: SystemdFacts): string {
  if (manager === 'system') {
    const paths = cgroupPaths(1);
    return (paths[''] ?? paths['name=systemd'] ?? '/').replace(/\/init\.scope$/, '') || '/';
  }
  const object = [
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
  ];
  try {
    const words = ['--user', 'get-property', ...object, 'ControlGroup'];
    const said = execFileSync(busctl ?? 'busctl', words, {
      encoding: 'utf8',
      stdio: 'pipe',
      env: variables(env),
    });
    return JSON.parse(said.replace(/^s /, ''));
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(
      `--systemd-cgroup: your own systemd could not be asked: ${stderr?.trim() || message}; log in with a session of your own ` +
        '(ssh, machinectl shell), or leave it out',
    );
  }
}

const variables = (env: readonly string[]) =>
  Object.fromEntries(env.map((one) => one.split(/=(.*)/s).slice(0, 2)));
