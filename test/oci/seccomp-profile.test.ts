/** Profiles from files: as in config.json, and as engines keep them. */
import { expect, test } from 'vitest';
import { seccompFrom } from '../../src/oci/seccomp-profile.ts';

const host = { capabilities: ['CAP_SYS_ADMIN'], kernel: '6.18.44', arch: 'x64' };
const names = (rules: object[], here = host) =>
  seccompFrom(JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: rules }), here).syscalls?.flatMap(
    (rule) => rule.names,
  );
const rule = (name: string, when: object = {}) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...when });

test('as in config.json it stays as it is', () => {
  const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule('read')] };
  expect(seccompFrom(JSON.stringify(seccomp), host)).toEqual(seccomp);
});

test('rules that depend on capabilities, machine or kernel', () => {
  expect(
    names([
      rule('with', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('lacking', { includes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }),
      rule('without', { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('here', { includes: { arches: ['arm64', 'amd64'] } }),
      rule('elsewhere', { includes: { arches: ['s390x'] } }),
      rule('not-here', { excludes: { arches: ['amd64'] } }),
      rule('new', { includes: { minKernel: '4.8' } }),
      rule('newer', { includes: { minKernel: '6.19' } }),
      rule('newest', { includes: { minKernel: '7.1' } }),
      { name: 'single', action: 'SCMP_ACT_ALLOW' },
    ]),
  ).toEqual(['with', 'here', 'new', 'single']);
});

test('the machine’s own entry of archMap', () => {
  const archMap = [
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
  ];
  const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', archMap });
  expect(seccompFrom(text, host).architectures).toEqual([
    'SCMP_ARCH_X86_64',
    'SCMP_ARCH_X86',
    'SCMP_ARCH_X32',
  ]);
  expect(seccompFrom(text, { ...host, arch: 'arm64' }).architectures).toEqual([
    'SCMP_ARCH_AARCH64',
    'SCMP_ARCH_ARM',
  ]);
});

test.each(['null', '[]', '{}', 'no JSON'])('%s is no profile', (text) => {
  expect(() => seccompFrom(text, host)).toThrow();
});
