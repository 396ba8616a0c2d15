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

/** The folders of a layered root, a JSON array of absolute paths, the lowest first. */
export const LOWER_ANNOTATION = 'org.tslab.overlay.lower';
/** The folder that takes what is changed in it, absolute, and… */
export const UPPER_ANNOTATION = 'org.tslab.overlay.upper';
/** …an empty one on the same file system, in which the kernel prepares changes. Without the two, nothing can be changed. */
export const WORK_ANNOTATION = 'org.tslab.overlay.work';
/** The layer, one of `lower`, into which the container's own /etc/hosts, hostname and resolv.conf are written. */
export const INIT_LAYER_ANNOTATION = 'org.tslab.overlay.init';
/** The image that the layers are of: a name or a digest. Nothing follows from it. */
export const IMAGE_ANNOTATION = 'org.tslab.image';
/** image-spec, conversion.md: what asks the program to end. */
export const STOP_SIGNAL_ANNOTATION = 'org.opencontainers.image.stopSignal';

/** `true`: it stays in the caller's cgroup, whatever the config names. */
export const NO_CGROUP_ANNOTATION = 'org.tslab.no-cgroup';
