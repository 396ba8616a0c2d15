/** Labels of the security modules (config.md, "Linux Process": apparmorProfile, selinuxLabel). */
import type { Facts } from '../facts/facts.ts';
import type { Process } from '../oci/spec.ts';
import { PlanError } from '../plan/error.ts';
import type { Draft } from './stage.ts';

/**
 * They hold from the next exec on, so they are written early: by the host's /proc, before a container's own, which may be
 * anything, lies in its place.
 *
 * @throws PlanError for a label that no module of this host understands.
 */
export function labels({ apparmorProfile, selinuxLabel }: Process, facts: Facts): Draft[] {
  const common = { at: 'child', phase: 'identity', kind: 'write' } as const;
  const steps: Draft[] = [];
  if (apparmorProfile && !(apparmorProfile === 'unconfined' && !has(facts, 'apparmor'))) {
    const field = 'process.apparmorProfile';
    need(facts, 'apparmor', field);
    // AppArmor's own directory, since Linux 5.8: the plain one belongs to whichever module comes first.
    steps.push({ ...common, path: '/proc/self/attr/apparmor/exec', data: `exec ${apparmorProfile}`, field });
  }
  if (selinuxLabel) {
    const field = 'process.selinuxLabel';
    need(facts, 'selinux', field);
    steps.push({ ...common, path: '/proc/self/attr/exec', data: selinuxLabel, field });
  }
  return steps;
}

const has = (facts: Facts, module: string) => facts.labels?.includes(module) ?? false;

function need(facts: Facts, module: 'apparmor' | 'selinux', field: string): void {
  if (!has(facts, module))
    throw new PlanError(
      `${field}: ${module} is not at work on this host; leave the field out, or boot with security=${module}`,
    );
}
