/** docker's security flags as a config. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { secure } from '../../src/cli/security-flags.ts';
import type { SpecFlags } from '../../src/cli/spec-flags.ts';
import { defaultSpec } from '../../src/oci/default.ts';
import { keptCapabilities } from '../../src/oci/default-capabilities.ts';

function specWith(flags: SpecFlags, user?: { uid: number; gid: number }) {
  const spec = defaultSpec({ args: ['x'], rootfs: '/r' });
  if (user && spec.process) spec.process.user = user;
  secure(spec, flags);
  return spec;
}
const bounding = (flags: SpecFlags) => specWith(flags).process?.capabilities?.bounding;
const allows = (flags: SpecFlags, name: string) =>
  specWith(flags).linux?.seccomp?.syscalls?.some(
    (rule) => rule.action === 'SCMP_ACT_ALLOW' && rule.names.includes(name),
  );

test('capabilities are added and dropped, by any spelling', () => {
  expect(bounding({})).toEqual(keptCapabilities);
  expect(bounding({ capAdd: ['net_admin'], capDrop: ['CAP_CHOWN', 'Kill'] })).toEqual([
    ...keptCapabilities.filter((name) => name !== 'CAP_CHOWN' && name !== 'CAP_KILL'),
    'CAP_NET_ADMIN',
  ]);
  expect(bounding({ capDrop: ['ALL'], capAdd: ['KILL'] })).toEqual(['CAP_KILL']);
  expect(bounding({ capAdd: ['all'], capDrop: ['kill'] })).toHaveLength(40);
  expect(() => bounding({ capAdd: ['FLY'] })).toThrow(/--cap-add FLY/);
});

test('an ordinary user gets what was asked for by the ambient set', () => {
  const spec = specWith({ capAdd: ['NET_RAW'] }, { uid: 5, gid: 5 });
  expect(spec.process?.capabilities).toMatchObject({
    ambient: ['CAP_NET_RAW'],
    inheritable: ['CAP_NET_RAW'],
  });
});

test('the filter follows the capabilities', () => {
  expect(allows({}, 'mount')).toBe(false);
  expect(allows({ capAdd: ['SYS_ADMIN'] }, 'mount')).toBe(true);
  expect(allows({ capDrop: ['SYS_CHROOT'] }, 'chroot')).toBe(false);
});

test('security options', () => {
  expect(specWith({ securityOpt: ['seccomp=unconfined'] }).linux?.seccomp).toBeUndefined();
  expect(specWith({ securityOpt: ['no-new-privileges:false'] }).process?.noNewPrivileges).toBe(false);
  expect(specWith({ securityOpt: ['no-new-privileges'] }).process?.noNewPrivileges).toBe(true);
  expect(specWith({ securityOpt: ['apparmor=p'] }).process?.apparmorProfile).toBe('p');
  expect(() => specWith({ securityOpt: ['nonsense=1'] })).toThrow(/--security-opt nonsense=1: it takes/);
  const folder = mkdtempSync(join(tmpdir(), 'tslab-test-'));
  try {
    const file = join(folder, 'p.json');
    writeFileSync(file, '{"defaultAction": "SCMP_ACT_LOG"}');
    expect(specWith({ securityOpt: [`seccomp=${file}`] }).linux?.seccomp?.defaultAction).toBe('SCMP_ACT_LOG');
    writeFileSync(file, '{}');
    expect(() => specWith({ securityOpt: [`seccomp=${file}`] })).toThrow(/p\.json: no seccomp profile/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('--privileged takes everything away that was in the way', () => {
  const { process, linux, mounts } = specWith({ privileged: true });
  expect([process?.noNewPrivileges, linux?.seccomp, linux?.maskedPaths]).toEqual([
    false,
    undefined,
    undefined,
  ]);
  expect(mounts?.find(({ type }) => type === 'sysfs')?.options).not.toContain('ro');
});
