/** Which ids of the host a user may give to a user namespace: subuid(5), subgid(5), and the helpers that see to it. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { IdFacts, IdRange } from './facts.ts';
import { programPath } from './programs.ts';
import { usernsForbiddenBy } from './userns.ts';

export function readIds(uid: number): IdFacts {
  const name = nameOf(uid);
  const forbidding = usernsForbiddenBy();
  const [newuidmap, newgidmap] = [programPath('newuidmap'), programPath('newgidmap')];
  return {
    // Both files name the user, also the one for groups.
    subuids: rangesFor('/etc/subuid', uid, name),
    subgids: rangesFor('/etc/subgid', uid, name),
    ...(forbidding === undefined ? {} : { usernsForbiddenBy: forbidding }),
    ...(newuidmap === undefined ? {} : { newuidmap }),
    ...(newgidmap === undefined ? {} : { newgidmap }),
  };
}

/** A line is `name-or-uid:first:count`; a user may have several. */
export function parseRanges(text: string, uid: number | undefined, name: string | undefined): IdRange[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter(([owner, ...numbers]) => {
      const theirs = (name !== undefined && owner === name) || (uid !== undefined && owner === String(uid));
      return theirs && numbers.length === 2 && numbers.every((number) => /^\d+$/.test(number));
    })
    .map(([, first, count]) => ({ first: Number(first), count: Number(count) }))
    .filter(({ count }) => count > 0);
}

/** The ranges of a name that need not be a user's, such as one that is there for containers alone. */
export function rangesFor(file: string, uid: number | undefined, name: string | undefined): IdRange[] {
  try {
    return parseRanges(readFileSync(file, 'utf8'), uid, name);
  } catch {
    return []; // there is no such file: nobody has been given any
  }
}

function nameOf(uid: number): string | undefined {
  try {
    const info = userInfo();
    return info.uid === uid ? info.username : undefined;
  } catch {
    return undefined; // no entry in /etc/passwd
  }
}
