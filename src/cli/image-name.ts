/** Names of images between people and the store. */
import { fullName, parseReference, shortName } from '../image/reference.ts';

/** @throws Error if it is no name that an image could be given. */
export const newName = (text: string): string => fullName(parseReference(text));

/** As short as people type it; what another program has named otherwise, as it is. */
export function shownName(name: string): string {
  try {
    const reference = parseReference(name);
    return fullName(reference) === name ? shortName(reference) : name;
  } catch {
    return name;
  }
}
