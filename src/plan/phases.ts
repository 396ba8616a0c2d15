/**
 * The order of a container's birth. Lessons go from simple to deep; a runtime must go in this order,
 * because a later phase needs what an earlier one made, or would no longer be allowed to do it.
 */
export const phases = [
  'prepare', // host: what must exist before the process does: cgroup directories, namespaces to join
  'clone', // the birth: all new namespaces in one call, so that the user namespace owns the others
  'scope', // systemd takes a process into a cgroup, not a name; it moves on while its ids are still its maker's
  'identity', // id maps first: without them the child is nobody and owns nothing
  'cgroup', // before the child uses anything, so that all it uses is counted
  'network', // links are moved in by the host while the child still waits
  'join', // an exec'ed process enters the namespaces of a running container
  'layers', // the root file system is put together before the tree is changed that its folders are found in
  'mounts', // while the old root, its /proc and the bind sources can still be reached
  'devices', // nodes and links of /dev, on whatever was mounted there
  'masks', // what nobody inside may read or write: on top of all mounts
  'hooks', // all is made, and the host's programs can still be reached (config.md, "POSIX-platform Hooks")
  'root', // pivot_root or chroot: from here on paths mean the container's
  'names', // hostname, sysctls: need the namespaces, and privilege
  'terminal', // opened on the container's own devpts
  'limits', // rlimits and the bounding set: changing them needs capabilities that the next phases give up
  'ids', // groups before the user: an ordinary user may not choose groups
  'privileges', // capabilities that are left, no_new_privs: nothing after this may need more
  'start', // whoever creates a container without starting it leaves here; the runtime specification's `start` goes on
  'init', // a small init stays behind as PID 1, with no more privileges than the program
  'exec', // the filter, where no_new_privs lets it wait so long; the program: nothing comes back from it
] as const;

export type Phase = (typeof phases)[number];
