/** The same config for who is not root: in a user namespace, with what that can't have left out or shown from the host. */
import { type Mount, namespace, type Spec } from './spec.ts';

/** sysfs shows a network namespace, which is the host's here, and only its owner mounts one (user_namespaces(7)). */
const hostsSys: Mount = {
  destination: '/sys',
  type: 'bind',
  source: '/sys',
  options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
};

/** One id is mapped, the caller's own: what needs others, such as a terminal's group, goes. */
export function asOrdinaryUser(spec: Spec): Spec {
  const { resources: _, cgroupsPath: __, ...linux } = spec.linux ?? {};
  const namespaces = (linux.namespaces ?? []).filter(({ type }) => type !== 'network');
  const map = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
  return {
    ...spec,
    mounts: (spec.mounts ?? []).map((mount) => (mount.type === 'sysfs' ? hostsSys : withoutGroup(mount))),
    linux: {
      ...linux,
      namespaces: namespace(spec, 'user') ? namespaces : [...namespaces, { type: 'user' }],
      uidMappings: map(process.geteuid?.() ?? 0),
      gidMappings: map(process.getegid?.() ?? 0),
    },
  };
}

function withoutGroup(mount: Mount): Mount {
  if (!mount.options) return mount;
  return { ...mount, options: mount.options.filter((word) => !/^[ug]id=[1-9]/.test(word)) };
}
