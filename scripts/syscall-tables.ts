/**
 * Writes src/steps/seccomp/table-*.ts, the system call numbers by name, from the kernel's own headers:
 *   node scripts/syscall-tables.ts [root of an unpacked linux-libc-dev package, from Linux 6.12 on: it holds all machines']
 * To be run again when a new kernel has new calls: a profile can only name what these tables know.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? '/';
const headers = {
  x86_64: 'x86/asm/unistd_64.h',
  x86: 'x86/asm/unistd_32.h',
  x32: 'x86/asm/unistd_x32.h',
  aarch64: 'arm64/asm/unistd_64.h',
  arm: 'arm/asm/unistd-eabi.h',
} as const;
/** arm/asm/unistd.h: calls of that machine alone, far above the others. */
const armPrivate = ['breakpoint', 'cacheflush', 'usr26', 'usr32', 'set_tls', 'get_tls'].map(
  (name, i) => [name, 0xf0001 + i] as const,
);
const version = kernelVersion(readFileSync(join(root, 'usr/include/linux/version.h'), 'utf8'));

for (const [abi, header] of Object.entries(headers)) {
  const text = readFileSync(join(root, 'usr/lib/linux/uapi', header), 'utf8');
  const numbers = [
    ...text.matchAll(
      /^#define __NR_(\w+)\s+\(?(?:(?:__NR_SYSCALL_BASE|__X32_SYSCALL_BIT)\s*\+\s*)?(\d+)\)?$/gm,
    ),
  ]
    .map(([, name = '', number]) => [name, Number(number)] as const)
    .concat(abi === 'arm' ? armPrivate : [])
    .sort(([, a], [, b]) => a - b);
  if (numbers.length < 300) throw new Error(`${header}: only ${numbers.length} system calls found`);
  writeFileSync(join(import.meta.dirname, `../src/steps/seccomp/table-${abi}.ts`), source(abi, numbers));
}

/** A number before a name says where the count goes on: nearly all follow the one before. */
function source(abi: string, numbers: readonly (readonly [string, number])[]): string {
  let next = 0;
  const words = numbers.flatMap(([name, number]) => {
    const jump = number === next ? [] : [String(number)];
    next = number + 1;
    return [...jump, name];
  });
  const lines = [''];
  for (const word of words) {
    if ((lines.at(-1)?.length ?? 0) + word.length > 104) lines.push('');
    lines.push(`${lines.pop()}${word} `);
  }
  return `/** System calls of ${abi}, Linux ${version}, in the order of their numbers; a number says where it goes on. Written by scripts/syscall-tables.ts. */
export default \`
${lines.map((line) => line.trimEnd()).join('\n')}
\`;
`;
}

function kernelVersion(text: string): string {
  const part = (name: string) => new RegExp(`LINUX_VERSION_${name} (\\d+)`).exec(text)?.[1];
  return `${part('MAJOR')}.${part('PATCHLEVEL')}`;
}
