/** Variables of a program, `NAME=value`. */

/** The later one of two with the same name wins, in the place of the first: getenv(3) believes the first. */
export function mergeEnv(...lists: readonly (readonly string[])[]): string[] {
  const byName = new Map(lists.flat().map((entry) => [entry.split('=')[0] ?? '', entry]));
  return [...byName.values()];
}
