/** The config that podman writes for a plain container with `--network none`, and how a bundle is made of it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mount, Seccomp, Spec } from '../../../src/oci/spec.ts';

const capabilities = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];
const maskedPaths = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/fs/selinux',
  '/sys/dev/block',
];
const readonlyPaths = [
  '/proc/asound',
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
const AF_VSOCK = 40;
const PER_LINUX32 = 8;
const ENOSYS = 38;

/** @param folder the bundle's. */
export function podmanConfig(folder: string, cgroupsPath: string): Spec {
  const bind = (destination: string, file: string, ...options: string[]): Mount => ({
    destination,
    type: 'bind',
    source: join(folder, file),
    options: ['bind', 'rprivate', ...options],
  });
  const kernel = (destination: string, type: string, source: string, ...options: string[]): Mount => ({
    destination,
    type,
    source,
    options: ['nosuid', 'noexec', ...options],
  });
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0, umask: 0o22 },
      args: ['/probe', ...maskedPaths, ...readonlyPaths],
      env: ['PATH=/usr/bin:/bin', 'TERM=xterm', 'HOME=/root', 'HOSTNAME=peer'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      // podman raises the first to 1048576, which not every host's root may.
      rlimits: [
        { type: 'RLIMIT_NOFILE', hard: 4096, soft: 1024 },
        { type: 'RLIMIT_NPROC', hard: 2048, soft: 2048 },
      ],
    },
    root: { path: join(folder, 'rootfs') },
    hostname: 'peer',
    mounts: [
      kernel('/proc', 'proc', 'proc', 'nodev'),
      kernel('/dev', 'tmpfs', 'tmpfs', 'strictatime', 'mode=755', 'size=65536k'),
      kernel('/sys', 'sysfs', 'sysfs', 'nodev', 'ro'),
      kernel('/dev/pts', 'devpts', 'devpts', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'),
      kernel('/dev/mqueue', 'mqueue', 'mqueue', 'nodev'),
      bind('/etc/hostname', 'hostname'),
      bind('/etc/hosts', 'hosts'),
      bind('/dev/shm', 'shm', 'nosuid', 'noexec', 'nodev'),
      bind('/run/.containerenv', 'containerenv'),
      kernel('/sys/fs/cgroup', 'cgroup', 'cgroup', 'rprivate', 'nodev', 'relatime', 'ro'),
    ],
    linux: {
      sysctl: { 'net.ipv4.ping_group_range': '0 0' },
      resources: { devices: [{ allow: false, access: 'rwm' }], pids: { limit: 2048 } },
      cgroupsPath,
      namespaces: (['pid', 'network', 'ipc', 'uts', 'mount'] as const).map((type) => ({ type })),
      seccomp: seccomp(),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** Not podman's profile, which is long, but one of each sort of rule in it. */
function seccomp(): Seccomp {
  const equal = (index: number, value: number) => [{ index, value, op: 'SCMP_CMP_EQ' }];
  const refuse = { action: 'SCMP_ACT_ERRNO' };
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: process.arch === 'x64' ? ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'] : ['SCMP_ARCH_AARCH64'],
    syscalls: [
      { ...refuse, names: ['unshare'] },
      { ...refuse, names: ['personality'], args: equal(0, PER_LINUX32) },
      { ...refuse, names: ['socket'], args: equal(0, AF_VSOCK), errnoRet: 22 },
      { ...refuse, names: ['add_key', 'request_key'], errnoRet: ENOSYS },
    ],
  };
}

/** A rootfs with one static program and nothing else, so that every mount point is the runtime's work. */
export function makeBundle(folder: string, spec: Spec): void {
  mkdirSync(join(folder, 'rootfs'), { recursive: true });
  mkdirSync(join(folder, 'shm'), { recursive: true });
  for (const file of ['hostname', 'hosts', 'containerenv']) writeFileSync(join(folder, file), '');
  writeFileSync(join(folder, 'config.json'), JSON.stringify(spec));
  const source = join(import.meta.dirname, 'probe.c');
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  execFileSync('cc', ['-O1', '-static', ...warnings, '-o', join(folder, 'rootfs/probe'), source]);
}
