/** Where in a plan the filter is loaded, and how its listener reaches an agent (config-linux.md, "Seccomp"). */
import type { Facts } from '../../facts/facts.ts';
import { plainSeccomp } from '../../oci/default-seccomp.ts';
import type { Seccomp, Spec } from '../../oci/spec.ts';
import { PlanError } from '../../plan/error.ts';
import { type Flag, flagSets } from '../../plan/flags.ts';
import { grantable } from '../capabilities.ts';
import type { Draft } from '../stage.ts';
import type { Machine } from './abi.ts';
import { compile } from './compile.ts';
import readyPrograms from './default-program.ts';

/** Before the capabilities go, or as late as can be. */
export interface SeccompSteps {
  early: Draft[];
  late: Draft[];
}

/**
 * Loading a filter takes no_new_privs or CAP_SYS_ADMIN (seccomp(2)). With the former it is loaded right before the exec,
 * and need allow nothing of what makes a container; else before capabilities are dropped. An init stands under it, too:
 * a program could otherwise trace it and let it make the calls (ptrace(2)).
 *
 * @throws PlanError naming the field.
 */
export function seccompSteps(spec: Spec, facts: Facts, hasInit: boolean): SeccompSteps {
  const seccomp = spec.linux?.seccomp;
  if (!seccomp) return { early: [], late: [] };
  if (facts.seccomp?.length === 0)
    throw new PlanError('linux.seccomp: this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)');
  if (seccomp.listenerMetadata !== undefined && seccomp.listenerPath === undefined)
    throw new PlanError('linux.seccomp.listenerMetadata: without listenerPath there is nobody to tell');
  if (seccomp.defaultAction === 'SCMP_ACT_NOTIFY')
    throw new PlanError(
      "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY can't be for every call: somebody has to tell of the listener first",
    );
  const common = { at: 'child', field: 'linux.seccomp' } as const;
  const listener = listens(seccomp) ? { listener: 'seccomp' } : {};
  const free = spec.process?.noNewPrivileges === true;
  // The host hand tells of a listener, and once the child waits for its start, there is none.
  const early = hasInit || (listens(seccomp) && facts.container?.waits);
  const phase = free && !early ? 'exec' : 'privileges';
  const load: Draft[] = [
    // Else an ordinary user's launcher might not fetch the listener: ids have changed since the birth (ptrace(2)).
    ...(listens(seccomp) && facts.uid !== 0
      ? [{ ...common, phase, kind: 'prctl', option: 'PR_SET_DUMPABLE', value: 1 } as const]
      : []),
    {
      ...common,
      phase,
      kind: 'seccomp',
      program: filterProgram(seccomp),
      flags: flagsOf(seccomp),
      ...listener,
    },
    ...(listens(seccomp) ? [handOver(spec, facts, phase)] : []),
  ];
  return free ? { early: [], late: load } : { early: [...mayLoad(spec, facts), ...load], late: [] };
}

/**
 * The filter that these rules say, as seccomp(2) takes it: classic BPF, in base64.
 *
 * Compiling takes milliseconds, so the filter of nearly every `tslab run` is kept ready (scripts/default-filter.ts).
 *
 * @throws PlanError naming the rule.
 */
export function filterProgram(seccomp: Seccomp): string {
  const machine = process.arch as Machine;
  return seccomp === plainSeccomp() ? readyPrograms[machine] : compile(seccomp, machine).toString('base64');
}

/** An ordinary user's process has kept its permitted set only: what loading takes is made effective once more. */
function mayLoad(spec: Spec, facts: Facts): Draft[] {
  const can = grantable(spec, facts);
  if (!can.includes('CAP_SYS_ADMIN'))
    throw new PlanError(
      'linux.seccomp: without process.noNewPrivileges, loading a filter takes CAP_SYS_ADMIN, which this user lacks (seccomp(2))',
    );
  if ((spec.process?.user?.uid ?? 0) === 0) return [];
  return [
    {
      at: 'child',
      phase: 'privileges',
      kind: 'capset',
      effective: ['CAP_SYS_ADMIN'],
      permitted: can,
      inheritable: [],
      field: 'linux.seccomp',
    },
  ];
}

const listens = (seccomp: Seccomp) =>
  (seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');

function flagsOf(seccomp: Seccomp): Flag<'seccomp'>[] {
  const flags = (seccomp.flags ?? []).map((name, i) => {
    if (!Object.hasOwn(flagSets.seccomp, name))
      throw new PlanError(
        `linux.seccomp.flags[${i}] is ${JSON.stringify(name)}; it takes ${Object.keys(flagSets.seccomp).join(', ')}`,
      );
    return name as Flag<'seccomp'>;
  });
  if (!listens(seccomp) && flags.includes('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'))
    throw new PlanError(
      'linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is about a listener, but no rule has SCMP_ACT_NOTIFY',
    );
  // With a listener, the result is its descriptor, and no thread's number fits in beside it (seccomp(2)).
  const both = listens(seccomp) && flags.includes('SECCOMP_FILTER_FLAG_TSYNC');
  return both ? [...flags, 'SECCOMP_FILTER_FLAG_TSYNC_ESRCH'] : flags;
}

/** One connection, one message, with the listener beside it. */
function handOver(spec: Spec, facts: Facts, phase: 'exec' | 'privileges'): Draft {
  const { listenerPath, syscalls = [] } = spec.linux?.seccomp ?? {};
  if (listenerPath === undefined)
    throw new PlanError(
      'linux.seccomp.listenerPath: rules with SCMP_ACT_NOTIFY need it, so that somebody answers',
    );
  for (const [i, { action, names }] of syscalls.entries())
    if (action === 'SCMP_ACT_NOTIFY' && names.some((name) => name === 'read' || name === 'write'))
      throw new PlanError(
        `linux.seccomp.syscalls[${i}]: SCMP_ACT_NOTIFY can't be on read or write: the launcher uses them to tell of the listener`,
      );
  return {
    at: 'host',
    phase,
    kind: 'sendfd',
    path: listenerPath,
    pass: 'seccomp',
    parts: processState(spec, facts),
    field: 'linux.seccomp.listenerPath',
  };
}

/** config-linux.md, "The Container Process State", in JSON, cut where the pid belongs: it is known when the child is born. */
function processState(spec: Spec, facts: Facts): string[] {
  const { ociVersion, annotations } = spec;
  const { id = '', bundle = '' } = facts.container ?? {};
  const begin = (object: object) => JSON.stringify(object).slice(0, -1);
  const end = (object: object) => JSON.stringify(object).slice(1);
  const metadata = spec.linux?.seccomp?.listenerMetadata;
  const told = metadata === undefined ? '' : `"metadata":${JSON.stringify(metadata)},`;
  return [
    `${begin({ ociVersion, fds: ['seccompFd'] })},"pid":`,
    `,${told}"state":${begin({ ociVersion, id, status: 'creating' })},"pid":`,
    `,${end({ bundle, annotations })}}`,
  ];
}
