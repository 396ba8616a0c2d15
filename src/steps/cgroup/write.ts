/** What both writers speak: which file of the container's cgroup gets which text, and which config field asked for it. */
import type { Facts } from '../../facts/facts.ts';
import type { Resources } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';

/** v1's names; v2 calls blkio io, and decides about devices by a program. */
export const controllers = [
  'cpuset',
  'cpu',
  'memory',
  'pids',
  'blkio',
  'hugetlb',
  'rdma',
  'devices',
  'net_cls',
  'net_prio',
] as const;
export type Controller = (typeof controllers)[number];

/** One write(2) to one file: the kernel takes each as a whole value. */
export interface Write {
  readonly file: string;
  readonly data: string;
  /** A path into config.json. */
  readonly field: string;
}

/** Every controller's share of the resources as writes, in an order that a fresh cgroup takes. Pure. */
export type Writer = Readonly<
  Record<Controller, (resources: Resources, facts: Pick<Facts, 'kernel' | 'cgroup'>) => readonly Write[]>
>;

/** Engines fill in 0 for what they don't ask for. */
export function ask(file: string, value: number | undefined, field: string, text = whole): Write[] {
  return value === undefined || value === 0
    ? []
    : [{ file, data: text(value, field), field: `linux.resources.${field}` }];
}

/** @throws PlanError for a fraction. */
export function whole(value: number, field: string): string {
  if (!Number.isInteger(value)) refuse(field, `is ${value}; it takes a whole number`);
  return BigInt(value).toString();
}

export const wholeOrMax = (value: number, field: string): string => (value < 0 ? 'max' : whole(value, field));

/** CPUs or memory nodes: a list such as `0-3,7` (cpuset(7), "List format"). */
export function list(file: string, value: string | undefined, field: string): Write[] {
  if (value === undefined || value === '') return [];
  if (!/^\d+(-\d+(:\d+\/\d+)?)?(,\d+(-\d+(:\d+\/\d+)?)?)*$/.test(value))
    refuse(field, `is ${JSON.stringify(value)}; it takes a list such as 0-3,7`);
  return [{ file, data: value, field: `linux.resources.${field}` }];
}

/** A line of a file that has one per device: `8:0 1048576`. */
export function deviceLine(major: number, minor: number, rest: string, field: string): string {
  return `${whole(major, field)}:${whole(minor, field)} ${rest}`;
}

export function refuse(field: string, why: string): never {
  throw new PlanError(`linux.resources.${field}: ${why}`);
}

/** Whether the host's kernel is that one or a later one. */
export function kernelSince(kernel: string, major: number, minor: number): boolean {
  const [ours = 0, oursMinor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return ours > major || (ours === major && oursMinor >= minor);
}
