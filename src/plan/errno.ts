/** errno numbers by name (asm-generic/errno-base.h, errno.h), as far as a step may tolerate them. */
export const tolerable = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EBADF: 9,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENOTEMPTY: 39,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  EROFS: 30,
  ENOSYS: 38,
} as const;

export type Tolerable = keyof typeof tolerable;
