/** The way out of a chroot, as a command. Lesson 1 shows that it works, lesson 2 that it doesn't any more. */

/** Exit status of a container that stands on another root than the one it was given. */
export const WRONG_ROOT = 98;
/** Exit status where the root folder has no nsenter, so that the way can't be tried. */
export const NO_NSENTER = 99;

// Twice as deep as any root folder lies; `..` of the real root does no harm.
const up = '../'.repeat(40);

/**
 * Reads two lines: the name of a file that must be in its `/` (or it would make its cage on the host), and the path
 * of a file on the host. Prints that file if it gets out. The cage needs programs: nsenter starts a shell in it.
 */
export const escapeCommand = [
  'sh',
  '-c',
  `
  read -r mark && read -r file && [ -e "/$mark" ] || exit ${WRONG_ROOT}
  command -v nsenter >/dev/null || exit ${NO_NSENTER}
  cage=/$mark.cage
  mkdir "$cage" && cp -a /bin /lib /lib64 "$cage" &&
    exec nsenter -r"$cage" -w/ sh -c 'cd -P ${up} && exec chroot . cat "$0"' "$file"
  `,
];
