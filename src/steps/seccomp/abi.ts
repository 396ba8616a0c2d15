/** The machines whose system calls a filter can judge: how the kernel names them, and their numbers by name. */
import aarch64 from './table-aarch64.ts';
import arm from './table-arm.ts';
import x32 from './table-x32.ts';
import x86 from './table-x86.ts';
import x86_64 from './table-x86_64.ts';

export interface Abi {
  /** AUDIT_ARCH_… as seccomp(2) shows it in `arch` (linux/audit.h). */
  readonly audit: number;
  /** Added to every number: x32 shares x86_64's `arch` and is told by this bit alone (seccomp(2), "Caveats"). */
  readonly base: number;
  /** Registers of 32 bits: what stands above them in `args` is no part of the call. */
  readonly narrow: boolean;
  readonly numbers: ReadonlyMap<string, number>;
}

export const X32_BIT = 0x4000_0000;
export const AUDIT_X86_64 = 0xc000_003e;

const sources = {
  SCMP_ARCH_X86_64: { audit: AUDIT_X86_64, base: 0, narrow: false, table: x86_64 },
  SCMP_ARCH_X86: { audit: 0x4000_0003, base: 0, narrow: true, table: x86 },
  SCMP_ARCH_X32: { audit: AUDIT_X86_64, base: X32_BIT, narrow: false, table: x32 },
  SCMP_ARCH_AARCH64: { audit: 0xc000_00b7, base: 0, narrow: false, table: aarch64 },
  SCMP_ARCH_ARM: { audit: 0x4000_0028, base: 0, narrow: true, table: arm },
} as const;

/** Which of them one kernel runs, its own first. */
const families = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
} as const;
export type Machine = keyof typeof families;
export const archWords = (machine: Machine): readonly string[] => families[machine];

/** config-linux.md: words that no kernel of ours runs. A filter for them would never be asked. */
const elsewhere =
  /^SCMP_ARCH_(LOONGARCH64|M68K|(MIPS|MIPSEL)(64|64N32)?|PPC(64|64LE)?|S390X?|SH|SHEB|PARISC(64)?|RISCV64)$/;

/**
 * The machine's own ABI, which is always judged, and those that `architectures` adds.
 *
 * @returns undefined for a word that is no architecture.
 */
export function abiOf(word: string, machine: Machine): Abi | 'elsewhere' | undefined {
  const family: readonly string[] = families[machine];
  if (family.includes(word)) return decode(word as keyof typeof sources);
  return Object.hasOwn(sources, word) || elsewhere.test(word) ? 'elsewhere' : undefined;
}

export const nativeWord = (machine: Machine): string => families[machine][0];

const decoded = new Map<string, Abi>();

function decode(word: keyof typeof sources): Abi {
  const known = decoded.get(word);
  if (known) return known;
  const { table, ...abi } = sources[word];
  const numbers = new Map<string, number>();
  let next = 0;
  for (const token of table.trim().split(/\s+/))
    if (token >= '0' && token < ':') next = Number(token);
    else numbers.set(token, next++);
  const made = { ...abi, numbers };
  decoded.set(word, made);
  return made;
}
