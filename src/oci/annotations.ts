/** Requests of this runtime's own, for which OCI has no field. */

/** `true`: a small init as PID 1. */
export const INIT_ANNOTATION = 'org.tslab.init';

/** `inherit`: the program keeps the caller's session keyring. */
export const KEYRING_ANNOTATION = 'org.tslab.keyring';

/** `true`: chroot(2), for hosts whose root is an initramfs, which pivot_root(2) can't replace. */
export const NO_PIVOT_ANNOTATION = 'org.tslab.no-pivot';

/** `system` or `user`: whose systemd gives the cgroup its place; linux.cgroupsPath then leads into a scope. */
export const SYSTEMD_ANNOTATION = 'org.tslab.systemd';

/** Shows the files of root.path as those of the user namespace's ids, by an id-mapped mount (mount_setattr(2)). */
export const MAP_ROOTFS_ANNOTATION = 'org.tslab.map-rootfs';
