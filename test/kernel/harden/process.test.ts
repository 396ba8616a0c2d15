/** What a config says of its process, read off /proc of the running one. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { probe as probeFacts } from '../../../src/index.ts';
import type { Process, Spec } from '../../../src/oci/spec.ts';
import { capabilities } from '../../../src/plan/flags.ts';
import { call, Lab } from '../../support/container.ts';

const isRoot = process.getuid?.() === 0;
let lab: Lab;
beforeAll(() => {
  if (!isRoot) return;
  lab = new Lab();
  lab.addProbe();
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach((ctx) => ctx.skip(!isRoot, 'needs root'));
afterEach(() => lab?.stopAll());

const has = (name: string) => probeFacts().capabilities.includes(name);
const sleeping = async (
  process: Partial<Process>,
  linux: Partial<Spec['linux']> = {},
  warn?: (text: string) => void,
) => {
  const container = await lab.start(
    ['sleep', '100'],
    (spec) => {
      Object.assign(spec.process ?? {}, process);
      Object.assign(spec.linux ?? {}, linux);
    },
    warn ? { warn } : {},
  );
  const read = (name: string) => readFileSync(`/proc/${container.pid}/${name}`, 'utf8');
  const status = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(read('status'))?.[1];
  return { pid: container.pid, read, status };
};
const mask = (...names: string[]) =>
  names
    .reduce((all, name) => all | (1n << BigInt(capabilities.indexOf(name as 'CAP_KILL'))), 0n)
    .toString(16)
    .padStart(16, '0');
const refused = (process: Partial<Process>, linux: Partial<Spec['linux']> = {}) => sleeping(process, linux);

test('five capability sets, of an ordinary user with ambient ones', async () => {
  const { status } = await sleeping({
    user: { uid: 1000, gid: 1000 },
    capabilities: {
      bounding: ['CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW'],
      permitted: ['CAP_KILL', 'CAP_CHOWN'],
      effective: ['CAP_KILL'],
      inheritable: ['CAP_KILL', 'CAP_NET_RAW'],
      ambient: ['CAP_KILL'],
    },
  });
  // After an exec by a user that is not root, the ambient set is what is permitted and effective (capabilities(7)).
  expect(['Bnd', 'Inh', 'Prm', 'Eff', 'Amb'].map((set) => status(`Cap${set}`))).toEqual([
    mask('CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW'),
    mask('CAP_KILL', 'CAP_NET_RAW'),
    mask('CAP_KILL'),
    mask('CAP_KILL'),
    mask('CAP_KILL'),
  ]);
});

test('root gets no more than its bounding set; without any there is nothing', async () => {
  const { status } = await sleeping({
    capabilities: { bounding: ['CAP_KILL'], permitted: ['CAP_KILL', 'CAP_CHOWN'] },
  });
  expect(status('CapEff')).toBe(mask('CAP_KILL'));
  for (const sets of [{}, undefined]) {
    const none = await sleeping({ capabilities: sets as object });
    expect(['Bnd', 'Inh', 'Prm', 'Eff', 'Amb'].map((set) => none.status(`Cap${set}`))).toEqual(
      Array(5).fill(mask()),
    );
  }
});

test('capabilities that this root lacks are left out, with a warning', async (ctx) => {
  const missing = capabilities.find((name) => !has(name));
  ctx.skip(missing === undefined, 'this root lacks no capability');
  const all = [...capabilities];
  const told: string[] = [];
  const { status } = await sleeping(
    { capabilities: { bounding: all, permitted: all, effective: all } },
    {},
    (text) => told.push(text),
  );
  expect(status('CapEff')).toBe(mask(...probeFacts().capabilities));
  expect(told.join()).toContain(`process.capabilities: nobody has ${missing}`);
});

test('ambient ones that are not inheritable are left out, with a warning', async () => {
  const told: string[] = [];
  const sets = { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] };
  const { status } = await sleeping({ capabilities: sets }, {}, (text) => told.push(text));
  expect([status('CapPrm'), status('CapAmb')]).toEqual([mask('CAP_KILL'), mask()]);
  expect(told.join()).toContain('process.capabilities.ambient: 1 of them');
});

test('config.md, "Linux Process": one that the kernel does not know is left out, with a warning', async () => {
  const told: string[] = [];
  const sets = { bounding: ['CAP_KILL', 'CAP_FLY'] };
  const { status } = await sleeping({ capabilities: sets }, {}, (text) => told.push(text));
  expect(status('CapBnd')).toBe(mask('CAP_KILL'));
  expect(told.join()).toContain('process.capabilities: nobody has CAP_FLY');
});

test('in a user namespace all of them can be given', async () => {
  const all = [...capabilities].slice(0, (probeFacts().lastCapability ?? 0) + 1);
  const container = await lab.start(['sleep', '100'], (spec) => {
    const map = [{ containerID: 0, hostID: 0, size: 65536 }];
    spec.linux?.namespaces?.push({ type: 'user' });
    Object.assign(spec.linux ?? {}, { uidMappings: map, gidMappings: map });
    Object.assign(spec.process ?? {}, { capabilities: { bounding: all, permitted: all, effective: all } });
  });
  expect(readFileSync(`/proc/${container.pid}/status`, 'utf8')).toMatch(
    new RegExp(`CapEff:\\s+${mask(...all)}`),
  );
});

test.each<[Process['capabilities'], RegExp]>([
  [{ effective: ['CAP_KILL'] }, /effective: CAP_KILL has to be in permitted/],
  [{ inheritable: ['CAP_KILL'] }, /inheritable: CAP_KILL has to be in bounding/],
])('capabilities that contradict each other: %j', async (sets, message) => {
  await expect(refused({ capabilities: sets ?? {} })).rejects.toThrow(message);
});

test('every resource limit', async () => {
  const lines: Record<string, string> = {
    RLIMIT_CPU: 'Max cpu time',
    RLIMIT_FSIZE: 'Max file size',
    RLIMIT_DATA: 'Max data size',
    RLIMIT_STACK: 'Max stack size',
    RLIMIT_CORE: 'Max core file size',
    RLIMIT_RSS: 'Max resident set',
    RLIMIT_NPROC: 'Max processes',
    RLIMIT_NOFILE: 'Max open files',
    RLIMIT_MEMLOCK: 'Max locked memory',
    RLIMIT_AS: 'Max address space',
    RLIMIT_LOCKS: 'Max file locks',
    RLIMIT_SIGPENDING: 'Max pending signals',
    RLIMIT_MSGQUEUE: 'Max msgqueue size',
    RLIMIT_NICE: 'Max nice priority',
    RLIMIT_RTPRIO: 'Max realtime priority',
    RLIMIT_RTTIME: 'Max realtime timeout',
  };
  // Of each what the host has, or less where there is something to take away: raising needs CAP_SYS_RESOURCE.
  const own = readFileSync('/proc/self/limits', 'utf8');
  const hard = (label: string) => new RegExp(`^${label}\\s+\\S+\\s+(\\S+)`, 'm').exec(own)?.[1] ?? '';
  const infinite = JSON.parse('18446744073709551615'); // as a config.json has it
  const wanted = Object.entries(lines).map(([type, label], i) => {
    const most = hard(label) === 'unlimited' ? 2 ** 40 + i : Number(hard(label));
    return { type, soft: Math.floor(most / 2), hard: most };
  });
  const { read } = await sleeping({ rlimits: wanted });
  for (const { type, soft, hard } of wanted)
    expect(read('limits')).toMatch(new RegExp(`${lines[type]}\\s+${soft}\\s+${hard} `));
  const unlimited = await sleeping({ rlimits: [{ type: 'RLIMIT_CPU', soft: infinite, hard: infinite }] });
  expect(unlimited.read('limits')).toMatch(/Max cpu time\s+unlimited\s+unlimited/);
});

test.each<[Partial<Process>, RegExp]>([
  // config.md: "If rlimits contains duplicated entries with same type, the runtime MUST generate an error."
  [
    { rlimits: [1, 2].map((soft) => ({ type: 'RLIMIT_CORE', soft, hard: 9 })) },
    /process\.rlimits\[1\]\.type: RLIMIT_CORE is there already/,
  ],
  [{ rlimits: [{ type: 'RLIMIT_FOO', soft: 1, hard: 1 }] }, /process\.rlimits\[0\]\.type is "RLIMIT_FOO"/],
  [{ rlimits: [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }] }, /rlimits\[0\]: soft is 2, above hard/],
  [{ oomScoreAdj: 1001 }, /process\.oomScoreAdj is 1001/],
  [{ scheduler: { policy: 'SCHED_NONE' } }, /process\.scheduler\.policy is "SCHED_NONE"/],
  [{ scheduler: { policy: 'SCHED_OTHER', nice: 20 } }, /process\.scheduler\.nice is 20/],
  [{ scheduler: { policy: 'SCHED_OTHER', flags: ['X'] } }, /process\.scheduler\.flags is "X"/],
  [{ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 8 } }, /process\.ioPriority\.priority is 8/],
  [{ ioPriority: { class: 'IOPRIO_CLASS_XX' } }, /process\.ioPriority\.class/],
])('refused by name: %j', async (process, message) => {
  await expect(refused(process)).rejects.toThrow(message);
});

test('what only a label module could honour is refused by name', async (ctx) => {
  const { labels = [] } = probeFacts();
  ctx.skip(labels.length > 0, 'this host has a module that labels');
  await expect(refused({ apparmorProfile: 'x' })).rejects.toThrow(
    /process\.apparmorProfile: apparmor is not at work/,
  );
  await expect(refused({ selinuxLabel: 'x' })).rejects.toThrow(
    /process\.selinuxLabel: selinux is not at work/,
  );
  await sleeping({ apparmorProfile: 'unconfined' });
});

test('oom score, umask, groups, user', async () => {
  const { read, status } = await sleeping({
    oomScoreAdj: 321,
    user: { uid: 12, gid: 34, umask: 0o27, additionalGids: [5, 7] },
  });
  expect(read('oom_score_adj')).toBe('321\n');
  expect(status('Umask')).toBe('0027');
  expect(status('Groups')?.trim()).toBe('5 7');
  expect([status('Uid'), status('Gid')]).toEqual(['12\t12\t12\t12', '34\t34\t34\t34']);
  const alone = await sleeping({ user: { uid: 12, gid: 34 } });
  expect(alone.status('Groups')?.trim()).toBe('');
});

test('personality: the container shows 32 bits, the host does not', async () => {
  const { read } = await sleeping({}, { personality: { domain: 'LINUX32' } });
  expect(read('personality').trim()).toBe('00000008');
  const { out } = await lab.run(['uname', '-m'], (spec) =>
    Object.assign(spec.linux ?? {}, { personality: { domain: 'LINUX32' } }),
  );
  expect(out).toBe(execFileSync('setarch', ['linux32', 'uname', '-m'], { encoding: 'utf8' }));
  await expect(refused({}, { personality: { domain: 'LINUX', flags: ['X'] } })).rejects.toThrow(
    /linux\.personality\.flags/,
  );
});

test.for([
  ['SCHED_OTHER', { nice: 5 }, 0, 25],
  ['SCHED_BATCH', { nice: -3 }, 3, 17],
  ['SCHED_IDLE', {}, 5, 20],
  ['SCHED_FIFO', { priority: 7 }, 1, -8],
  ['SCHED_RR', { priority: 1, flags: ['SCHED_FLAG_RESET_ON_FORK'] }, 2, -2],
  ['SCHED_DEADLINE', { runtime: 10_000_000, deadline: 20_000_000, period: 30_000_000 }, 6, -101],
] as const)('scheduler %s %j', async ([policy, more, number, priority], ctx) => {
  // A v1 cgroup has no time for FIFO and RR until it is given some (sched-rt-group.txt).
  const ofGroup = existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us') && number <= 2;
  const { read, pid } = await sleeping(
    { scheduler: { policy, ...more, flags: [...('flags' in more ? more.flags : [])] } },
    ofGroup ? { resources: { cpu: { realtimePeriod: 1_000_000, realtimeRuntime: 10_000 } } } : {},
  ).catch((error) => {
    // CONFIG_RT_GROUP_SCHED: new groups have no real-time, and the v2 controller has no file to give them some (cgroup-v2.rst, "CPU").
    const noRealTime = ['SCHED_FIFO', 'SCHED_RR'].includes(policy) && error.errno === 'EPERM';
    ctx.skip(
      noRealTime && existsSync('/sys/fs/cgroup/cgroup.controllers'),
      'this kernel gives v2 groups no real-time',
    );
    throw error;
  });
  const stat = read('stat').split(') ')[1]?.split(' ') ?? [];
  expect(Number(stat[38])).toBe(number); // proc_pid_stat(5): (41) policy
  expect(Number(stat[15])).toBe(priority); // (18) priority: 20 + nice, or one below a real-time one's negative
  if (policy !== 'SCHED_DEADLINE') return;
  expect(execFileSync('chrt', ['-p', String(pid)], { encoding: 'utf8' })).toContain(
    '10000000/20000000/30000000',
  );
});

test('I/O priority', async () => {
  const { pid } = await sleeping({ ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 } });
  expect(execFileSync('ionice', ['-p', String(pid)], { encoding: 'utf8' })).toBe('best-effort: prio 6\n');
  const idle = await sleeping({ ioPriority: { class: 'IOPRIO_CLASS_IDLE' } });
  expect(execFileSync('ionice', ['-p', String(idle.pid)], { encoding: 'utf8' })).toMatch(/^idle/);
});

test('memory policy', async (ctx) => {
  ctx.skip(!existsSync('/proc/self/numa_maps'), 'this kernel knows no memory nodes');
  const { read } = await sleeping(
    {},
    { memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] } },
  );
  expect(read('numa_maps')).toMatch(/bind=static:0/);
  await expect(refused({}, { memoryPolicy: { mode: 'MPOL_X' } })).rejects.toThrow(
    /linux\.memoryPolicy\.mode/,
  );
  await expect(refused({}, { memoryPolicy: { mode: 'MPOL_BIND', nodes: '3-1' } })).rejects.toThrow(
    /linux\.memoryPolicy\.nodes/,
  );
  // A node that this machine hasn't got: the kernel says so, and the error names the field.
  await expect(refused({}, { memoryPolicy: { mode: 'MPOL_BIND', nodes: '900' } })).rejects.toThrow(
    /EINVAL.*linux\.memoryPolicy/s,
  );
});

test('a session keyring of its own', async (ctx) => {
  ctx.skip(!existsSync('/proc/sys/kernel/keys'), 'this kernel has no keys');
  // KEYCTL_GET_KEYRING_ID of KEY_SPEC_SESSION_KEYRING
  const ask = async (keyring?: string) => {
    const { out } = await lab.run(['/probe', call('keyctl', 0, -3, 0)], (spec) => {
      delete spec.linux?.seccomp;
      if (keyring) spec.annotations = { 'org.tslab.keyring': keyring };
    });
    return Number(out);
  };
  const [one, other, shared, again] = [await ask(), await ask(), await ask('inherit'), await ask('inherit')];
  expect(one).toBeGreaterThan(0);
  expect(new Set([one, other, shared]).size).toBe(3);
  expect(again).toBe(shared);
});

test('names: 64 bytes and no more, and none for the host', async () => {
  const name = 'h'.repeat(64);
  const { out } = await lab.run(['sh', '-c', 'hostname; cat /proc/sys/kernel/domainname'], (spec) =>
    Object.assign(spec, { hostname: name, domainname: 'lab.example' }),
  );
  expect(out).toBe(`${name}\nlab.example\n`);
  await expect(lab.start(['true'], (spec) => Object.assign(spec, { hostname: `${name}h` }))).rejects.toThrow(
    /hostname has 65 bytes/,
  );
  await expect(
    lab.start(['true'], (spec) => Object.assign(spec, { domainname: 'é'.repeat(33) })),
  ).rejects.toThrow(/domainname has 66 bytes/);
  const shared = (spec: Spec) => {
    if (spec.linux) spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'uts') ?? [];
  };
  await expect(lab.start(['true'], shared)).rejects.toThrow(/hostname: without a namespace of type uts/);
  expect(readlinkSync('/proc/self/ns/uts')).toMatch(/uts/);
});
