/** From config to plan: the stages one after the other, then one list. */
import { stages as allStages } from '../../lessons/index.ts';
import type { Facts } from '../facts/facts.ts';
import { isSet, refusedFields } from '../oci/fields.ts';
import type { Spec } from '../oci/spec.ts';
import { compose } from '../plan/compose.ts';
import { PlanError } from '../plan/error.ts';
import type { Plan, Step } from '../plan/step.ts';
import { notAmbient, ungranted } from '../steps/capabilities.ts';
import { unheldDeviceRules } from '../steps/cgroup/resources.ts';
import { withSubstitutes } from '../steps/idmap-mounts.ts';
import { networkWish } from '../steps/net/spec.ts';
import type { Draft, Stage } from '../steps/stage.ts';

export interface Around {
  /** In front of the stages' steps of the same phase, such as the box around a learner's attempt. */
  before?: readonly Step[];
  /** Behind them. */
  after?: readonly Step[];
}

export function planFor(
  id: string,
  spec: Spec,
  facts: Facts,
  chosen: readonly Stage[] = allStages,
  { before = [], after = [] }: Around = {},
): Plan {
  // The user namespace is an ordinary user's way to all others, whatever the lesson.
  const user = allStages.find((stage) => stage.id === 'user');
  const needed = facts.uid !== 0 && user && !chosen.includes(user) ? [...chosen, user] : chosen;
  refuse(spec, needed);
  const known: Facts = { ...facts, container: { id, ...facts.container } };
  const able = withSubstitutes(spec);
  return compose(id, [
    ...before,
    ...needed.flatMap((stage) => stage.plan(able, known).map((draft) => withOrigin(draft, stage.id))),
    ...after,
  ]);
}

/** @throws PlanError for a field that none of these stages honours: a config is done as it says, or not at all. */
function refuse(spec: Spec, stages: readonly Stage[]): void {
  for (const [field, why] of Object.entries(refusedFields))
    if (isSet(spec, field)) throw new PlanError(`config: ${field}: ${why}`);
  for (const { id, owns } of allStages.filter((stage) => !stages.some(({ id }) => id === stage.id)))
    for (const field of owns)
      if (isSet(spec, field))
        throw new PlanError(
          `config: ${field}: it takes the stage of lesson ${id}, which is not part of this runtime`,
        );
}

/** What this host can't give, where config.md wants a warning and no error ("process", capabilities), and what it gives up. */
export function warnings(spec: Spec, facts: Facts): string[] {
  const missing = ungranted(spec, facts);
  const never = notAmbient(spec);
  return [
    ...(missing.length === 0
      ? []
      : [`process.capabilities: nobody has ${missing.join(', ')} to give here; the process does without`]),
    ...(never.length === 0
      ? []
      : [
          `process.capabilities.ambient: ${never.length} of them not permitted and inheritable, as the kernel wants (capabilities(7)); the process does without`,
        ]),
    ...(unheldDeviceRules(spec, facts) && spec.linux?.resources?.devices?.length
      ? ['linux.resources.devices: there is no cgroup to hold them']
      : []),
    ...switchesForwarding(spec, facts),
  ];
}

/** A stage's draft as a step of the plan: whose it is stands beside it. */
export function withOrigin({ field, ...draft }: Draft, lesson: string): Step {
  return { ...draft, from: { lesson, ...(field === undefined ? {} : { field }) } } as Step;
}

/** A setting of the whole host is not changed in silence. */
function switchesForwarding(spec: Spec, { network }: Facts): string[] {
  if (!network || network.forwarding || networkWish(spec).mode !== 'bridge') return [];
  return ['net.ipv4.ip_forward was 0: this host forwards packets as long as a container is on its bridge'];
}
