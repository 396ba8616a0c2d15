/** What of a file only the first user namespace can give: owners without a number here, and some xattrs. */
import { readFileSync } from 'node:fs';
import { inUserNamespace } from '../../facts/userns.ts';
import type { IdMapping } from '../../oci/spec.ts';
import { parseMap } from '../../runtime/owners.ts';
import { type Bytes, shown } from '../../sys/at.ts';

export interface Owner {
  uid: number;
  gid: number;
}

export type Note = (text: string) => void;

/** Each text once: a layer has ten thousand files that are alike. */
export function once(note: Note): Note {
  const told = new Set<string>();
  return (text) => {
    if (told.has(text)) return;
    told.add(text);
    note(text);
  };
}

export class Rights {
  /** Whether we are root of a namespace of our own only. */
  readonly ordinary = inUserNamespace();
  readonly #maps = { uid: mapOf('uid_map'), gid: mapOf('gid_map') };
  readonly #own: Owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  readonly #note: Note;

  constructor(note: Note) {
    this.#note = once(note);
  }

  /** overlayfs reads the one or the other, by its mount option userxattr; only the first user namespace can write `trusted`. */
  get opaque(): string {
    return this.ordinary ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
  }

  /** Whom it will belong to: an id that is nobody here becomes root's, who is the user outside. */
  ownerOf({ uid, gid }: Owner): Owner {
    return { uid: this.#known('uid', uid), gid: this.#known('gid', gid) };
  }

  isOurs({ uid, gid }: Owner): boolean {
    return uid === this.#own.uid && gid === this.#own.gid;
  }

  /** Those that can be set here. @throws Error at one that would tell overlayfs what to do. */
  xattrsOf(xattrs: readonly (readonly [Bytes, Buffer])[]): (readonly [Bytes, Buffer])[] {
    return xattrs.filter(([name]) => {
      if (/^(trusted|user)\.overlay\./.test(name))
        throw new Error(`the xattr ${shown(name)}, which is overlayfs's own`);
      const wanted = this.ordinary ? forOrdinary : forRoot;
      if (!wanted.test(name)) this.#note(`xattrs ${shown(name)} are left out: they can't be set here`);
      return wanted.test(name);
    });
  }

  #known(kind: 'uid' | 'gid', id: number): number {
    const map = this.#maps[kind];
    if (map.some(({ containerID, size }) => id >= containerID && id < containerID + size)) return id;
    this.#note(`${kind} ${id} is nobody here (see /etc/sub${kind}): what is theirs becomes yours`);
    return 0;
  }
}

/** xattr(7): the others are a file system's own, and mean nothing on another. */
const forRoot = /^(user|trusted|security)\..|^system\.posix_acl_(access|default)$/;
const forOrdinary = /^user\..|^security\.capability$|^system\.posix_acl_(access|default)$/;

const mapOf = (file: string): IdMapping[] => parseMap(readFileSync(`/proc/self/${file}`, 'utf8'));
