/**
 * Writes src/steps/seccomp/default-program.ts: the filter of the default profile, compiled. To be run when the profile, the
 * compiler or the tables have changed; a test tells.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainSeccomp } from '../src/oci/default-seccomp.ts';
import { compile } from '../src/steps/seccomp/compile.ts';

const line = (machine: 'x64' | 'arm64') =>
  `  ${machine}: '${compile(plainSeccomp(), machine).toString('base64')}',`;
writeFileSync(
  join(import.meta.dirname, '../src/steps/seccomp/default-program.ts'),
  `/** The default profile (oci/default-seccomp.ts) as a filter, in base64. Written by scripts/default-filter.ts. */
export default {
${line('x64')}
${line('arm64')}
} as const;
`,
);
