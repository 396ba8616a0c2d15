/** Lesson 12: isolation is incomplete, so root inside gets less than root. */
import {
  type CapabilitySets,
  capabilitySets,
  type Draft,
  type Facts,
  filterProgram,
  labels,
  maskSteps,
  type Spec,
  seccompSteps,
  sysctls,
} from 'tslab';

export default function harden(spec: Spec, facts: Facts): Draft[] {
  if (!spec.process) return [...maskSteps(spec), ...sysctls(spec)];
  // Five lists of names such as 'CAP_CHOWN': what the config asks for, as far as this host can give it.
  const sets = capabilitySets(spec, facts);
  return [
    // What is done already: paths that are hidden or read-only, the namespaces' own parameters, labels.
    ...maskSteps(spec),
    ...sysctls(spec),
    ...labels(spec.process, facts),
    ...bound(sets),
    // A config that forgoes no_new_privs: its filter takes CAP_SYS_ADMIN, so it is loaded here, and not by you.
    ...seccompSteps(spec, facts, false).early,
    ...drop(sets),
    ...noNewPrivileges(spec),
    ...filter(spec),
  ];
}

/** Child, phase `limits`: the process is root still, and has everything. */
function bound(_sets: CapabilitySets): Draft[] {
  return [
    // TODO 1: Take all but `bounding` out of the bounding set, for ever. Then see to it that the permitted set survives
    // what lesson 0 does next: setuid.
  ];
}

/** Child, phase `privileges`: the process has become the user that the config names. */
function drop(_sets: CapabilitySets): Draft[] {
  return [
    // TODO 2: Three of the five sets are set by one call. What is to be ambient is then raised by another.
  ];
}

/** In the same phase. From here on, no execve(2) gives more than the process has. */
function noNewPrivileges(spec: Spec): Draft[] {
  if (!spec.process?.noNewPrivileges) return [];
  // TODO 3: One step.
  return [];
}

function filter(spec: Spec): Draft[] {
  const seccomp = spec.linux?.seccomp;
  if (!seccomp || !spec.process?.noNewPrivileges) return [];
  // The config's rules, compiled into a small program, as base64. The kernel is to run it at every system call.
  return load(filterProgram(seccomp));
}

/** Child, phase `exec`: right before the program, when tslab itself has done all that the filter forbids. */
function load(_program: string): Draft[] {
  // TODO 4: One step. Besides the program it takes `flags`, a list that stays empty.
  return [];
}
