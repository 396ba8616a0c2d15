/**
 * A seccomp profile from a file: as it stands in config.json, or as engines keep theirs, where rules depend on capabilities,
 * the machine and the kernel (`includes`, `excludes`, `archMap`).
 */
import { parseJson } from './parse-config.ts';
import type { Seccomp, SeccompRule } from './spec.ts';

export interface Host {
  readonly capabilities: readonly string[];
  /** Such as `6.18.44`. */
  readonly kernel: string;
  /** In Node's words: x64, arm64. */
  readonly arch: string;
}

interface When {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}
type EngineRule = SeccompRule & { name?: string; comment?: string; includes?: When; excludes?: When };
type EngineProfile = Omit<Seccomp, 'syscalls'> & {
  archMap?: { architecture: string; subArchitectures?: string[] | null }[];
  syscalls?: EngineRule[];
};

/** Engines name machines as Go does. */
const machines: Readonly<Record<string, { arch: string; word: string }>> = {
  x64: { arch: 'amd64', word: 'SCMP_ARCH_X86_64' },
  arm64: { arch: 'arm64', word: 'SCMP_ARCH_AARCH64' },
};

/** @throws Error for what is no profile. Its words are judged when a plan is made of it. */
export function seccompFrom(text: string, host: Host): Seccomp {
  const profile = parseJson(text) as EngineProfile | null;
  if (typeof profile !== 'object' || typeof profile?.defaultAction !== 'string')
    throw new Error('no seccomp profile: it has no defaultAction');
  const { archMap, ...plain } = profile;
  const machine = machines[host.arch];
  const own = archMap?.find(({ architecture }) => architecture === machine?.word);
  const rules = (profile.syscalls ?? []).filter((rule) => applies(rule, host, machine?.arch ?? ''));
  return {
    ...plain,
    ...(own ? { architectures: [own.architecture, ...(own.subArchitectures ?? [])] } : {}),
    syscalls: rules.map(({ includes, excludes, comment, name, ...rule }) => ({
      ...rule,
      names: rule.names ?? (name === undefined ? [] : [name]),
    })),
  };
}

function applies({ includes = {}, excludes = {} }: EngineRule, host: Host, arch: string): boolean {
  const { caps = [], arches = [], minKernel } = includes;
  const included =
    caps.every((name) => host.capabilities.includes(name)) &&
    (arches.length === 0 || arches.includes(arch)) &&
    (minKernel === undefined || isAtLeast(host.kernel, minKernel));
  const excluded =
    (excludes.caps ?? []).some((name) => host.capabilities.includes(name)) ||
    (excludes.arches ?? []).includes(arch) ||
    (excludes.minKernel !== undefined && isAtLeast(host.kernel, excludes.minKernel));
  return included && !excluded;
}

function isAtLeast(kernel: string, wanted: string): boolean {
  const [[major = 0, minor = 0], [least = 0, leastMinor = 0]] = [kernel, wanted].map((text) =>
    text.split('.').map((part) => Number.parseInt(part, 10)),
  ) as [number[], number[]];
  return major > least || (major === least && minor >= leastMinor);
}
