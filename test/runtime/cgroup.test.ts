/** A living container's cgroup, on plain directories that look like v1's and v2's. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import cgroup from '../../lessons/09-cgroup/stage.ts';
import { oomKills } from '../../src/evidence/cgroup.ts';
import type { Facts } from '../../src/facts/facts.ts';
import { isFrozen, pids } from '../../src/runtime/cgroup.ts';
import { stats } from '../../src/runtime/cgroup-stats.ts';
import { update } from '../../src/runtime/cgroup-update.ts';
import { cgroupDirectories } from '../../src/steps/cgroup/place.ts';
import { v1Host, v2Host } from '../steps/cgroup/hosts.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'tslab-test-cgroup-'));
});
afterEach(() => rmSync(top, { recursive: true }));

/** The same host, but its trees are below a directory of ours. */
const moved = (facts: Facts): Facts => JSON.parse(JSON.stringify(facts).replaceAll('/sys/fs/cgroup', top));
const fill = (files: Record<string, string>) => {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(top, file)), { recursive: true });
    writeFileSync(join(top, file), text);
  }
};
const read = (file: string) => readFileSync(join(top, file), 'utf8');

test.each([
  [
    'v1',
    v1Host,
    { 'memory/c/memory.limit_in_bytes': '1048576', 'cpuset/c/cpuset.cpus': '0-3', 'pids/c/pids.max': '9' },
  ],
  ['v2', v2Host, { 'c/memory.max': '1048576', 'c/pids.max': '9', 'cgroup.subtree_control': '+cpu +io' }],
])('%s: the plan’s host steps write what was asked', (_, host, expected) => {
  const facts = moved(host);
  const steps = cgroup(
    {
      ociVersion: '1.3.0',
      linux: { cgroupsPath: '/c', resources: { memory: { limit: 1 << 20 }, pids: { limit: 9 } } },
    },
    facts,
  );
  for (const step of steps.filter(({ at }) => at === 'host')) {
    if (step.kind === 'mkdir') mkdirSync(step.path, { recursive: true });
    if (step.kind === 'write') fill({ [step.path.slice(top.length)]: step.data });
  }
  for (const [file, text] of Object.entries(expected)) expect(read(file)).toBe(text);
});

test('v2: what was used', () => {
  fill({
    'c/cgroup.procs': '10\n11\n',
    'c/inner/cgroup.procs': '12\n',
    'c/cgroup.events': 'populated 1\nfrozen 1\n',
    'c/cpu.stat':
      'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 3\nthrottled_usec 5\n',
    'c/memory.current': '4096\n',
    'c/memory.max': 'max\n',
    'c/memory.peak': '8192\n',
    'c/memory.stat': 'anon 1\nfile 2\n',
    'c/memory.events': 'low 0\nhigh 0\nmax 6\noom 1\noom_kill 2\n',
    'c/pids.current': '3\n',
    'c/pids.max': '9\n',
    'c/io.stat': '8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n',
    'c/hugetlb.2MB.current': '0\n',
    'c/hugetlb.2MB.max': 'max\n',
    'c/hugetlb.2MB.events': 'max 7\n',
  });
  const directories = cgroupDirectories('/c', moved(v2Host).cgroup);
  expect(stats(directories)).toMatchObject({
    cpu: {
      usage: { total: 30_000, user: 20_000, kernel: 10_000 },
      throttling: { periods: 4, throttledPeriods: 3, throttledTime: 5000 },
    },
    memory: {
      cache: 2,
      usage: { usage: 4096, max: 8192, failcnt: 6 },
      oomKills: 2,
      raw: { anon: 1, file: 2 },
    },
    pids: { current: 3, limit: 9 },
    hugetlb: { '2MB': { usage: 0, failcnt: 7 } },
  });
  expect(stats(directories).memory?.usage).not.toHaveProperty('limit');
  expect(stats(directories).blkio?.ioServiceBytesRecursive).toContainEqual({
    major: 8,
    minor: 0,
    op: 'Read',
    value: 4096,
  });
  expect(pids(directories)).toEqual([10, 11, 12]);
  expect(isFrozen(directories)).toBe(true);
});

test('v1: what was used', () => {
  fill({
    'cpu,cpuacct/c/cpuacct.usage': '30\n',
    'cpu,cpuacct/c/cpuacct.usage_percpu': '10 20 \n',
    'cpu,cpuacct/c/cpu.stat': 'nr_periods 4\nnr_throttled 3\nthrottled_time 5\n',
    'memory/c/memory.usage_in_bytes': '4096\n',
    'memory/c/memory.limit_in_bytes': '9223372036854771712\n',
    'memory/c/memory.stat': 'cache 1\ntotal_cache 2\n',
    'memory/c/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    'pids/c/pids.current': '3\n',
    'pids/c/pids.max': 'max\n',
    'blkio/c/blkio.throttle.io_service_bytes_recursive': '8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n',
    'freezer/c/freezer.state': 'THAWED\n',
  });
  const directories = cgroupDirectories('/c', moved(v1Host).cgroup);
  const found = stats(directories);
  expect(found.cpu).toEqual({
    usage: { total: 30, percpu: [10, 20] },
    throttling: { periods: 4, throttledPeriods: 3, throttledTime: 5 },
  });
  expect(found.memory).toMatchObject({ cache: 2, usage: { usage: 4096 }, oomKills: 2 });
  expect(found.memory?.usage).not.toHaveProperty('limit');
  expect(found.pids).toEqual({ current: 3 });
  expect(found.blkio?.ioServiceBytesRecursive).toHaveLength(2);
  expect(oomKills(directories.controllers.memory)).toBe(2);
  expect(isFrozen(directories)).toBe(false);
});

test('other limits: a group is judged as a whole, and what was left out stays', () => {
  const facts = moved(v2Host);
  const files = { 'c/cgroup.controllers': 'cpu memory', 'cgroup.subtree_control': '' };
  fill({
    ...files,
    'c/memory.max': '',
    'c/memory.swap.max': '',
    'c/memory.current': '5000',
    'c/cpu.idle': '1',
  });
  const directories = cgroupDirectories('/c', facts.cgroup);
  const now = { memory: { limit: 8192, swap: 12_288 }, pids: { limit: 5 } };
  expect(update(directories, facts, { memory: { limit: 12_288 } }, now)).toEqual({
    memory: { limit: 12_288, swap: 12_288 },
    pids: { limit: 5 },
  });
  expect([read('c/memory.max'), read('c/memory.swap.max')]).toEqual(['12288', '0']);
  update(directories, facts, { cpu: { idle: 0 } });
  expect(read('c/cpu.idle')).toBe('0');
  expect(() => update(directories, facts, { memory: { limit: 4096, checkBeforeUpdate: true } })).toThrow(
    /memory\.limit: is 4096, but 5000 bytes are in use/,
  );
  expect(() => update(directories, facts, { memory: { limit: 16_384 } }, now)).toThrow(/memory\.swap/);
  expect(read('c/memory.max')).toBe('12288');
  expect(() => update(directories, facts, { pids: { limit: 7 } })).toThrow(
    /write\(".*pids\.max", "7"\): ENOENT, asked for by linux\.resources\.pids\.limit/,
  );
  expect(read('cgroup.subtree_control')).toBe('+pids'); // not there before
  expect(() => update(directories, facts, { devices: [{ allow: true }] })).toThrow(/devices/);
});
