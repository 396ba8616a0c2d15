/** Steps and plans: plain, frozen, JSON-able data. Nothing here calls the kernel. */
import type { Capability, Flag, FlagSet, Name, NameSet } from './flags.ts';
import type { FieldType, Kind, kinds } from './kinds.ts';
import type { Phase } from './phases.ts';

/** Where a step comes from: the lesson whose stage made it, and the config field that asked for it. */
export interface Origin {
  readonly lesson: string;
  /** A path into config.json, such as `mounts[2]`. */
  readonly field?: string;
}

export type Hand = 'host' | 'child';

type Value<T extends FieldType> = T extends `${infer B extends string}?`
  ? BareValue<B> | undefined
  : BareValue<T>;
type BareValue<T extends string> = T extends 'u32' | 'i32' | 'u64'
  ? number
  : T extends 'limit'
    ? number | 'unlimited'
    : T extends 'u32s'
      ? readonly number[]
      : T extends 'strs'
        ? readonly string[]
        : T extends 'bool'
          ? boolean
          : T extends 'caps'
            ? readonly Capability[]
            : T extends `flags:${infer S extends FlagSet}`
              ? readonly Flag<S>[]
              : T extends `name:${infer S extends NameSet}`
                ? Name<S>
                : string;

type Required<F> = { [K in keyof F as F[K] extends `${string}?` ? never : K]: F[K] };
type Optional<F> = { [K in keyof F as F[K] extends `${string}?` ? K : never]: F[K] };
type Fields<F extends Readonly<Record<string, FieldType>>> = {
  readonly [K in keyof Required<F>]: Value<F[K] & FieldType>;
} & { readonly [K in keyof Optional<F>]?: Value<F[K] & FieldType> };

/** The call of a kind with its arguments, without where, when and why. */
export type Call<K extends Kind = Kind> = {
  [P in K]: { readonly kind: P } & Fields<(typeof kinds)[P]['fields']>;
}[K];

/** How a host step is taken back: itself a host step, by absolute path, kept in the ledger. */
export type Undo = Call<'rmdir' | 'unlink' | 'rmtree' | 'umount' | 'write' | 'netlink' | 'spawn'> & {
  /** Errors that mean "somebody else's by now", such as EBUSY for a directory that others use as well. At most two. */
  readonly tolerate?: readonly string[];
};

interface Common {
  readonly at: Hand;
  readonly phase: Phase;
  readonly from: Origin;
  /** Errors that mean "fine, go on", such as EEXIST for a directory that may be there already. At most two. */
  readonly tolerate?: readonly string[];
  readonly undo?: Undo;
}

/** One step of a plan: about one system call. */
export type Step<K extends Kind = Kind> = Common & Call<K>;

/** All steps in the order in which they are performed, and what names the plan. */
export interface Plan {
  readonly version: 1;
  readonly id: string;
  readonly steps: readonly Step[];
}
