/** Filters judged by the kernel: a program makes the calls, and prints what it got. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { defaultSeccomp } from '../../../src/oci/default-seccomp.ts';
import type { Seccomp, SeccompRule, Spec } from '../../../src/oci/spec.ts';
import { packageRoot } from '../../../src/package-root.ts';
import { exec } from '../../../src/runtime/exec.ts';
import { stateOf } from '../../../src/runtime/state.ts';
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

const [EPERM, ENOSYS, EAFNOSUPPORT] = [-1, -38, -97];
const filtered =
  (seccomp: Seccomp | undefined, more: (spec: Spec) => void = () => {}) =>
  (spec: Spec) => {
    if (!spec.linux) return;
    if (seccomp) spec.linux.seccomp = seccomp;
    else delete spec.linux.seccomp;
    more(spec);
  };
const probe = async (calls: string[], change?: (spec: Spec) => void) => {
  const { out, exit } = await lab.run(['/probe', ...calls], change);
  return { got: out.trim().split('\n').map(Number), exit };
};
const allBut = (...syscalls: SeccompRule[]): Seccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls });

test('the default: seen from outside, and by the calls that it refuses', async () => {
  const container = await lab.start(['sleep', '100']);
  const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(status).toMatch(/^Seccomp:\s+2$/m);
  expect(status).toMatch(/^Seccomp_filters:\s+1$/m);
  const { got } = await probe([
    call('keyctl', 0, -3, 0),
    call('mount', 'tmpfs', '/tmp', 'tmpfs', 0, 0),
    call('unshare', 0x10000000),
    call('bpf', 0, 0, 0),
    call('clone3', 0, 0),
    call('socket', 38, 5, 0),
    call('getpid'),
    call('socket', 1, 1, 0),
  ]);
  expect(got.slice(0, 6)).toEqual([EPERM, EPERM, EPERM, EPERM, ENOSYS, EAFNOSUPPORT]);
  expect(got[6]).toBe(1);
  expect(got[7]).toBeGreaterThan(0);
});

test('ordinary tools run under it', async () => {
  const script =
    'for i in 1 2 3; do (echo $i | cat | sort); done; mkdir /tmp/x; ls -la / >/dev/null; date >/dev/null; id -u; wget -q http://127.0.0.1:1/ 2>/dev/null; echo end';
  const { out, exit } = await lab.run(['sh', '-c', script]);
  expect([out, exit]).toEqual(['1\n2\n3\n0\nend\n', { code: 0 }]);
});

test('32-bit calls are judged by their own numbers', async (ctx) => {
  const [pid] = (await probe(['x20'], filtered(undefined))).got;
  ctx.skip(pid !== 1, 'this kernel runs no 32-bit calls');
  // x86: 21 mount, 20 getpid, 102 socketcall, 288 keyctl.
  const { got } = await probe(['x21,0,0,0,0,0', 'x20', 'x288,0,0,0', 'x102,1,0'], undefined);
  expect(got).toEqual([EPERM, 1, EPERM, EAFNOSUPPORT]);
  // With a filter for x86_64 alone, a call of x86 ends the process.
  const { exit } = await probe(['x20'], filtered(allBut()));
  expect(exit).toEqual({ signal: 'SIGSYS' });
});

test('x32 calls end the process, unless they are listed', async (ctx) => {
  ctx.skip(process.arch !== 'x64', 'x32 is of x86');
  const getpid = String(0x40000000 + 39);
  expect((await probe([getpid], filtered(allBut()))).exit).toEqual({ signal: 'SIGSYS' });
  // Then the kernel itself answers: ENOSYS where it was built without x32.
  expect((await probe([getpid], filtered({ ...allBut(), architectures: ['SCMP_ARCH_X32'] }))).exit).toEqual({
    code: 0,
  });
});

test.each([
  ['SCMP_ACT_ERRNO', 7, { got: [-7], exit: { code: 0 } }],
  ['SCMP_ACT_ERRNO', undefined, { got: [EPERM], exit: { code: 0 } }],
  ['SCMP_ACT_KILL_PROCESS', undefined, { exit: { signal: 'SIGSYS' } }],
  ['SCMP_ACT_KILL', undefined, { exit: { signal: 'SIGSYS' } }],
  ['SCMP_ACT_KILL_THREAD', undefined, { exit: { signal: 'SIGSYS' } }],
  ['SCMP_ACT_TRAP', undefined, { exit: { signal: 'SIGSYS' } }],
  // "…or ENOSYS if there is no tracer" (seccomp(2))
  ['SCMP_ACT_TRACE', 1, { got: [ENOSYS], exit: { code: 0 } }],
  ['SCMP_ACT_LOG', undefined, { got: [0], exit: { code: 0 } }],
  ['SCMP_ACT_ALLOW', undefined, { got: [0], exit: { code: 0 } }],
] as [string, number | undefined, object][])('%s (errnoRet %s)', async (action, errnoRet, expected) => {
  const rule = { names: ['getuid'], action, ...(errnoRet === undefined ? {} : { errnoRet }) };
  const done = await probe([call('getuid')], filtered(allBut(rule)));
  expect(done).toMatchObject(expected);
});

// dup(2) only looks at its first argument: the second and third are free to be compared with.
test.each([
  ['NE', '4294967297', 0, [1n, 4294967297n], [true, false]],
  ['EQ', '4294967297', 0, [1n, 4294967297n], [false, true]],
  ['LT', '4294967297', 0, [1n, 4294967297n, 2n ** 63n], [true, false, false]],
  ['LE', '4294967297', 0, [1n, 4294967297n, 4294967298n], [true, true, false]],
  ['GE', '4294967297', 0, [1n, 4294967297n, 2n ** 63n], [false, true, true]],
  ['GT', '4294967297', 0, [4294967297n, 4294967298n, 2n ** 64n - 1n], [false, true, true]],
  ['MASKED_EQ', '18446744069414584320', '4294967296', [4294967296n, 4294967301n, 5n], [true, true, false]],
] as [string, string, string | number, bigint[], boolean[]][])(
  'SCMP_CMP_%s with 64 bits',
  async (op, value, valueTwo, given, matches) => {
    const rule = {
      names: ['dup'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 99,
      args: [{ index: 2, op: `SCMP_CMP_${op}`, value, valueTwo }],
    };
    const { got } = await probe(
      given.map((one) => call('dup', 0, 0, one)),
      filtered(allBut(rule)),
    );
    expect(got.map((one) => one === -99)).toEqual(matches);
  },
);

test('a filter that allows nearly nothing lets the container start all the same', async () => {
  const names = [
    'write',
    'exit_group',
    'execve',
    'brk',
    'arch_prctl',
    'set_tid_address',
    'set_robust_list',
    'rseq',
    'prlimit64',
    'mprotect',
    'getrandom',
    'readlinkat',
    'readlink',
    'newfstatat',
    'fstat',
    'getpid',
    'uname',
  ];
  const strict: Seccomp = {
    defaultAction: 'SCMP_ACT_KILL_PROCESS',
    syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
  };
  const { got, exit } = await probe([call('getpid')], filtered(strict));
  expect([got, exit]).toEqual([[1], { code: 0 }]);
});

test('without no_new_privs it is loaded before capabilities go, also for an ordinary user', async () => {
  const rule: SeccompRule = { names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 55 };
  for (const user of [undefined, { uid: 1000, gid: 1000 }]) {
    const container = await lab.start(
      ['sleep', '100'],
      filtered(allBut(rule), (spec) => {
        if (!spec.process) return;
        spec.process.noNewPrivileges = false;
        if (user) spec.process.user = user;
      }),
    );
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\s+0$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(user ? /^CapEff:\s+0000000000000000$/m : /^CapEff:\s+00000000800405fb$/m);
    const { got } = await probe(
      [call('getppid')],
      filtered(allBut(rule), (spec) =>
        Object.assign(spec.process ?? {}, { noNewPrivileges: false, ...(user ? { user } : {}) }),
      ),
    );
    expect(got).toEqual([-55]);
  }
});

test('an init stands under the filter as well', async () => {
  const container = await lab.start(
    ['sh', '-c', 'grep ^Seccomp: /proc/1/status /proc/self/status; cat /proc/1/comm; sleep 100'],
    (spec) => {
      spec.annotations = { 'org.tslab.init': 'true' };
    },
  );
  let out = '';
  container.stdout?.on('data', (data) => {
    out += data;
  });
  while (out.split('\n').length < 4) await new Promise((done) => setTimeout(done, 10));
  expect(out).toMatch(/1\/status:Seccomp:\s+2\n.*self\/status:Seccomp:\s+2\ntslab-init\n/);
});

test('with CAP_SYS_ADMIN its filter lets it mount', async () => {
  const more = (spec: Spec) => {
    const sets = spec.process?.capabilities;
    for (const set of ['bounding', 'effective', 'permitted'] as const) sets?.[set]?.push('CAP_SYS_ADMIN');
  };
  const { got } = await probe(
    [call('mount', 'tmpfs', '/tmp', 'tmpfs', 0, 0)],
    filtered(defaultSeccomp(['CAP_SYS_ADMIN']), more),
  );
  expect(got).toEqual([0]);
});

test('an agent gets the listener and the process state, and answers the calls', async () => {
  const socket = join(lab.folder, 'agent.sock');
  const binary = join(lab.folder, 'agent');
  execFileSync('cc', ['-O1', '-o', binary, join(packageRoot, 'test/support/agent.c')]);
  const agent = spawn(binary, [socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const seccomp: Seccomp = {
    ...allBut({ names: ['getppid', 'sendmsg', 'execve'], action: 'SCMP_ACT_NOTIFY' }),
    flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
    listenerPath: socket,
    listenerMetadata: 'a "quoted" one',
  };
  try {
    await new Promise((ready) => agent.stdout.once('data', ready));
    const told = text(agent.stdout);
    // execve is continued, the others get 4242: also the launcher's own last call is asked about.
    const container = await lab.start(['/probe', call('getppid')], filtered(seccomp), { id: 'asked' });
    expect(await text(container.stdout as Readable)).toBe('4242\n');
    expect(await container.exit).toEqual({ code: 0 });
    expect(JSON.parse(await told)).toEqual({
      ociVersion: '1.3.0',
      fds: ['seccompFd'],
      pid: container.pid,
      metadata: 'a "quoted" one',
      state: { ociVersion: '1.3.0', id: 'asked', status: 'creating', pid: container.pid, bundle: '' },
    });
  } finally {
    agent.kill();
  }
});

test('an agent that is not there is told by its path', async () => {
  const seccomp: Seccomp = {
    ...allBut({ names: ['getppid'], action: 'SCMP_ACT_NOTIFY' }),
    listenerPath: join(lab.folder, 'none.sock'),
  };
  const error = await lab.start(['true'], filtered(seccomp)).catch((error) => error);
  expect(error.message).toMatch(/connect\(".*none\.sock"\).*ENOENT.*listenerPath/s);
});

test.each<[Partial<Seccomp>, RegExp]>([
  [{ flags: ['SECCOMP_FILTER_FLAG_NOPE'] }, /linux\.seccomp\.flags\[0\]/],
  [{ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }, /linux\.seccomp\.flags/],
  [{ listenerMetadata: 'x' }, /listenerMetadata/],
  [{ defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: '/x' }, /defaultAction/],
  [{ syscalls: [{ names: ['getppid'], action: 'SCMP_ACT_NOTIFY' }] }, /listenerPath/],
  [
    { syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }], listenerPath: '/x' },
    /syscalls\[0\].*read or write/,
  ],
])('refused by name: %j', async (change, message) => {
  await expect(lab.start(['true'], filtered({ ...allBut(), ...change }))).rejects.toThrow(message);
});

test.each(['TSYNC', 'LOG', 'SPEC_ALLOW'])('the flag %s', async (flag) => {
  const { got } = await probe(
    [call('getpid')],
    filtered({ ...allBut(), flags: [`SECCOMP_FILTER_FLAG_${flag}`] }),
  );
  expect(got).toEqual([1]);
});

test('a further process is under the same filter, on the CPUs that it asked for', async () => {
  const container = await lab.start(['sleep', '100']);
  const state = stateOf(container.id);
  if (!state) throw new Error('no state');
  const process = {
    args: ['sleep', '100'],
    cwd: '/',
    noNewPrivileges: true,
    execCPUAffinity: { final: '0' },
  };
  const further = await exec(state, process, { stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    const status = readFileSync(`/proc/${further.pid}/status`, 'utf8');
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^Cpus_allowed_list:\s+0$/m);
    const first = readFileSync(`/proc/${container.pid}/status`, 'utf8');
    if (availableParallelism() > 1) expect(first).not.toMatch(/^Cpus_allowed_list:\s+0$/m);
  } finally {
    await further.stop();
  }
});
