/** Versions of the kernel, where there is no better way to learn what it can do. */

/** @param kernel as uname says it, such as `6.1.0-18-amd64`. */
export function isAtLeast(kernel: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}
