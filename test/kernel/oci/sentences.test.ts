/** runtime.md, config.md and config-linux.md: a test for each sentence with a MUST about the runtime that no other file here has. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Spec } from '../../../src/oci/spec.ts';
import { Bundle, list } from '../../support/oci.ts';

beforeEach((ctx) => ctx.skip(process.getuid?.() !== 0, 'needs root'));

/** What the program of a container with this change to its config prints. */
const said = (script: string, change?: (spec: Spec) => void) => {
  using bundle = new Bundle().config(['sh', '-c', script], change);
  const { stdout, stderr } = bundle.oci('run', 'one');
  return stdout + stderr;
};
/** The error of a create with it; nothing is left. */
const refused = (change: (spec: Spec) => void) => {
  using bundle = new Bundle().config(['true'], change);
  const { status, stderr } = bundle.oci('create', 'one');
  expect(status).not.toBe(0);
  expect(list(bundle.root)).toEqual([]);
  return stderr;
};
const linux = (change: (linux: NonNullable<Spec['linux']>) => void) => (spec: Spec) => {
  spec.linux ??= {};
  change(spec.linux);
};
const program = (change: (process: NonNullable<Spec['process']>) => void) => (spec: Spec) => {
  if (spec.process) change(spec.process);
};

test.each(['create', 'start', 'state', 'kill', 'delete'])(
  'runtime.md, "Operations": %s MUST generate an error if it is not provided the ID',
  (command) => {
    using bundle = new Bundle().config(['true']);
    expect(bundle.oci(command)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/missing required argument 'id'/),
    });
  },
);

test('runtime.md, "Create": MUST generate an error if it is not provided a path to the bundle', () => {
  using bundle = new Bundle();
  expect(bundle.oci('create', '--bundle', '/nosuch', 'one').stderr).toMatch(/\/nosuch\/config\.json.*ENOENT/);
});

test('runtime.md, "State": MUST be the status, the pid on the host, the absolute path of the bundle', async () => {
  using bundle = new Bundle().config(['sleep', '100']);
  bundle.oci('create', '--bundle', '.', 'one');
  const created = bundle.state('one');
  expect(created).toMatchObject({ status: 'created', bundle: bundle.dir });
  expect(existsSync(`/proc/${created.pid}`)).toBe(true);
  bundle.oci('start', 'one');
  expect(bundle.state('one')).toMatchObject({ status: 'running', pid: created.pid });
  bundle.oci('kill', 'one', 'KILL');
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
});

test('runtime.md, "Create": if the runtime cannot apply a property, a new container MUST NOT be created', () => {
  expect(
    refused(linux((linux) => (linux.resources = { hugepageLimits: [{ pageSize: '3KB', limit: 1 }] }))),
  ).toMatch(/linux\.resources\.hugepageLimits/);
});

test('runtime.md, "Create": any changes made to config.json after this operation will not have an effect', async () => {
  using bundle = new Bundle().config(['echo', 'first']);
  bundle.oci('create', 'one');
  rmSync(bundle.path('config.json'));
  expect(bundle.oci('start', 'one').status).toBe(0);
  await expect.poll(() => bundle.output()).toBe('first\n');
});

test('runtime.md, "Start": attempting to start what has stopped MUST have no effect and MUST generate an error', async () => {
  using bundle = new Bundle().config(['true']);
  bundle.oci('create', 'one');
  bundle.oci('start', 'one');
  await expect.poll(() => bundle.state('one').status).toBe('stopped');
  expect(bundle.oci('start', 'one').stderr).toMatch(/cannot start a container that has stopped/);
  expect(bundle.state('one').status).toBe('stopped');
});

test('runtime.md, "Start": MUST generate an error if process was not set (here: create does)', () => {
  expect(refused((spec) => delete spec.process)).toMatch(/process/);
});

test('runtime.md, "Delete": resources not created by this container MUST NOT be deleted', () => {
  using bundle = new Bundle();
  mkdirSync(bundle.path('volume'));
  writeFileSync(bundle.path('volume/file'), '');
  bundle.config(['sleep', '100'], (spec) => {
    spec.mounts?.push({
      destination: '/volume',
      type: 'bind',
      source: bundle.path('volume'),
      options: ['bind'],
    });
  });
  bundle.oci('create', 'one');
  bundle.oci('delete', '--force', 'one');
  expect(list(bundle.path('volume'))).toEqual(['file']);
  expect(existsSync(bundle.path('rootfs/bin'))).toBe(true);
});

test('runtime.md, "Delete": once a container is deleted its ID MAY be used by a subsequent one', () => {
  using bundle = new Bundle().config(['true']);
  for (let i = 0; i < 3; i++) {
    expect(bundle.oci('create', 'one').status).toBe(0);
    expect(bundle.oci('delete', '--force', 'one').status).toBe(0);
  }
});

test('config.md, "Root": a directory MUST exist at the path; readonly: it MUST be read-only inside', () => {
  expect(refused((spec) => (spec.root = { path: 'nosuch' }))).toMatch(/root\.path: .*no such directory/);
  expect(
    said('touch /x 2>&1', (spec) => {
      if (spec.root) spec.root.readonly = true;
    }),
  ).toMatch(/Read-only file system/);
});

test('config.md, "Mounts": the runtime MUST mount entries in the listed order', () => {
  const tmpfs = (destination: string, name: string) => ({
    destination,
    type: 'tmpfs',
    source: name,
    options: [],
  });
  const at = said('grep " /mnt" /proc/mounts | cut -d" " -f1,2', (spec) =>
    spec.mounts?.push(tmpfs('/mnt', 'first'), tmpfs('/mnt/in', 'second'), tmpfs('/mnt', 'third')),
  );
  expect(at).toBe('first /mnt\nsecond /mnt/in\nthird /mnt\n');
});

test('config.md, "Mounts": a relative bind source is relative to the bundle', () => {
  using bundle = new Bundle();
  mkdirSync(bundle.path('volume'));
  writeFileSync(bundle.path('volume/file'), 'here\n');
  bundle.config(['cat', '/volume/file'], (spec) => {
    spec.mounts?.push({ destination: '/volume', type: 'bind', source: 'volume', options: ['bind'] });
  });
  expect(bundle.oci('run', '--bundle', bundle.dir, 'one').stdout).toBe('here\n');
});

test('config.md, "POSIX process": for each rlimit a getrlimit MUST give what was set; a type twice MUST be an error', () => {
  const limit = (soft: number) => ({ type: 'RLIMIT_NOFILE', soft, hard: 60 });
  expect(
    said(
      'ulimit -Sn; ulimit -Hn',
      program((process) => (process.rlimits = [limit(50)])),
    ),
  ).toBe('50\n60\n');
  expect(refused(program((process) => (process.rlimits = [limit(50), limit(51)])))).toMatch(
    /process\.rlimits\[1\]\.type: RLIMIT_NOFILE is there twice/,
  );
  expect(refused(program((process) => (process.rlimits = [{ ...limit(1), type: 'RLIMIT_NOSUCH' }])))).toMatch(
    /process\.rlimits/,
  );
});

test('config.md, "Linux process": oomScoreAdj MUST be set to the value, and MUST NOT change if it is not', () => {
  const own = readFileSync('/proc/self/oom_score_adj', 'utf8');
  expect(said('cat /proc/self/oom_score_adj')).toBe(own);
  expect(
    said(
      'cat /proc/self/oom_score_adj',
      program((process) => (process.oomScoreAdj = 321)),
    ),
  ).toBe('321\n');
});

test('config.md, "Process": runtimes MUST ignore consoleSize if terminal is false', () => {
  expect(
    said(
      'echo fine',
      program((process) => (process.consoleSize = { height: 1, width: 2 })),
    ),
  ).toBe('fine\n');
});

test('config.md, "User": umask, additional groups', () => {
  const user = { uid: 5, gid: 6, umask: 0o27, additionalGids: [7, 8] };
  expect(
    said(
      'id -u; id -g; id -G; umask',
      program((process) => (process.user = user)),
    ),
  ).toBe('5\n6\n6 7 8\n0027\n');
});

test('config.md, "Annotations": an unknown key MUST NOT be an error, an empty one MUST be, an empty value may be there', () => {
  expect(said('echo fine', (spec) => (spec.annotations = { 'com.example.unknown': '' }))).toBe('fine\n');
  expect(refused((spec) => (spec.annotations = { '': 'x' }))).toMatch(
    /annotations: a key must not be an empty/,
  );
});

test('config.md, "Extensibility": an unknown property MUST be ignored', () => {
  expect(
    said('echo fine', (spec) => Object.assign(spec, { nosuch: 1, linux: { ...spec.linux, nosuch: {} } })),
  ).toBe('fine\n');
});

test('config.md, "Valid values": MUST generate an error when invalid values are encountered, with its path', () => {
  expect(refused(linux((linux) => (linux.namespaces = [{ type: 'nosuch' as 'pid' }])))).toMatch(
    /config\.json: linux\.namespaces\[0\]\.type: /,
  );
  expect(refused((spec) => (spec.ociVersion = '2.0.0'))).toMatch(/ociVersion: /);
  expect(refused(program((process) => (process.cwd = 'tmp')))).toMatch(
    /process\.cwd: must be an absolute path/,
  );
});

test('config-linux.md, "Namespaces": a path MUST be entered, and MUST be of that type', async () => {
  const holder = spawn('unshare', ['--uts', 'sh', '-c', 'hostname held; exec sleep 100'], {
    stdio: 'ignore',
  });
  const path = `/proc/${holder.pid}/ns/uts`;
  try {
    await expect.poll(() => readFileSync(`/proc/${holder.pid}/cmdline`, 'utf8')).toMatch(/^sleep/);
    const join = (at: string) => (spec: Spec) => {
      delete spec.hostname;
      const uts = spec.linux?.namespaces?.find(({ type }) => type === 'uts');
      if (uts) uts.path = at;
    };
    expect(said('hostname', join(path))).toBe('held\n');
    expect(refused(join(`/proc/${holder.pid}/ns/net`))).toMatch(/linux\.namespaces/);
    expect(refused(join('ns/uts'))).toMatch(/linux\.namespaces\[\d\]\.path: must be an absolute path/);
  } finally {
    holder.kill();
  }
});

test('config-linux.md, "Namespaces": a type that is not in the list MUST be the runtime’s; one twice MUST be an error', () => {
  const without = linux(
    (linux) => (linux.namespaces = linux.namespaces?.filter(({ type }) => type !== 'ipc') ?? []),
  );
  expect(
    said('readlink /proc/self/ns/ipc', (spec) => {
      without(spec);
      spec.mounts = spec.mounts?.filter(({ type }) => type !== 'mqueue') ?? [];
    }),
  ).toBe(`${readlinkSync('/proc/self/ns/ipc')}\n`);
  expect(refused(linux((linux) => linux.namespaces?.push({ type: 'uts' })))).toMatch(/uts is there twice/);
});

test('config-linux.md, "Devices": a file that does not match MUST be an error', () => {
  using bundle = new Bundle().config(
    ['true'],
    linux((linux) => (linux.devices = [{ type: 'c', path: '/etc/passwd', major: 1, minor: 3 }])),
  );
  expect(bundle.oci('create', 'one').stderr).toMatch(/linux\.devices\[0\]/);
});

test('config-linux.md, "Default Devices": are there, whatever the config lists', () => {
  const names = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
  expect(
    said(`ls -l ${names.map((name) => `/dev/${name}`).join(' ')} | grep -c ^c; readlink /dev/ptmx`),
  ).toBe('6\npts/ptmx\n');
});

test('config-linux.md, "Cgroups Path": the same value MUST be the same place; one above MUST be refused', () => {
  const path = `/tslab-sentence-${process.pid}`;
  const pids = () =>
    said('sed -n "s/.*:pids:\\|^0:://p" /proc/1/cgroup | head -n 1', (spec) => {
      if (!spec.linux) return;
      spec.linux.cgroupsPath = path;
      spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'cgroup') ?? [];
    });
  expect([pids(), pids()]).toEqual([`${path}\n`, `${path}\n`]);
  expect(refused(linux((linux) => (linux.cgroupsPath = '/../x')))).toMatch(/linux\.cgroupsPath/);
});

test('config-linux.md, "Unified": a controller that is not present MUST be an error', () => {
  expect(refused(linux((linux) => (linux.resources = { unified: { 'nosuch.max': '1' } })))).toMatch(
    /linux\.resources\.unified/,
  );
});

test('config-linux.md, "Masked Paths", "Readonly Paths": not readable, not writable', () => {
  const change = linux((linux) => {
    linux.maskedPaths = ['/etc/passwd', '/bin/nosuch'];
    linux.readonlyPaths = ['/etc'];
  });
  expect(said('cat /etc/passwd; touch /etc/x 2>&1', change)).toMatch(
    /^touch: \/etc\/x: Read-only file system\n$/,
  );
});

test('config-linux.md, "Sysctl": one of the host’s own is refused', () => {
  expect(refused(linux((linux) => (linux.sysctl = { 'vm.swappiness': '1' })))).toMatch(/linux\.sysctl/);
});

test('config-linux.md, "IntelRdt": is refused by name, as features say', () => {
  expect(refused(linux((linux) => (linux.intelRdt = { closID: 'x' })))).toMatch(/linux\.intelRdt/);
  using bundle = new Bundle();
  expect(JSON.parse(bundle.oci('features').stdout).linux.intelRdt).toEqual({ enabled: false });
  expect(existsSync(join('/sys/fs/resctrl', 'x'))).toBe(false);
});
