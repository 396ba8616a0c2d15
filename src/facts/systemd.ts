/** How systemd is asked, for a config whose cgroup it gives a place. */
import { SYSTEMD_ANNOTATION } from '../oci/annotations.ts';
import type { Spec } from '../oci/spec.ts';
import type { SystemdFacts } from './facts.ts';
import { programPath } from './programs.ts';

/** Whose systemd the config speaks of, if of any. */
export function managerOf(spec: Spec | undefined): SystemdFacts['manager'] | undefined {
  const named = spec?.annotations?.[SYSTEMD_ANNOTATION];
  return named === 'system' || named === 'user' ? named : undefined;
}

export function systemdFor(spec: Spec | undefined): { systemd?: SystemdFacts } {
  const manager = managerOf(spec);
  return manager === undefined ? {} : { systemd: systemdFacts(manager) };
}

export function systemdFacts(manager: SystemdFacts['manager']): SystemdFacts {
  const [busctl, systemctl] = [programPath('busctl'), programPath('systemctl')];
  return {
    manager,
    ...(busctl === undefined ? {} : { busctl }),
    ...(systemctl === undefined ? {} : { systemctl }),
    env: ['PATH=/usr/bin:/bin', ...(manager === 'user' ? userBus() : [])],
  };
}

/** pam_systemd(8) sets the one, and by it the other is found; a su without it sets neither. */
function userBus(): string[] {
  const { XDG_RUNTIME_DIR = `/run/user/${process.geteuid?.()}`, DBUS_SESSION_BUS_ADDRESS } = process.env;
  return [
    `XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR}`,
    ...(DBUS_SESSION_BUS_ADDRESS ? [`DBUS_SESSION_BUS_ADDRESS=${DBUS_SESSION_BUS_ADDRESS}`] : []),
  ];
}
