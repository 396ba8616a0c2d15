/** A time namespace: what the clocks say inside, and what they say outside. */
import { readFileSync, readlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { probe } from '../../../src/index.ts';
import type { Linux, Spec } from '../../../src/oci/spec.ts';
import { exec } from '../../../src/runtime/exec.ts';
import { Lab } from '../../support/container.ts';

const isRoot = process.getuid?.() === 0;
let lab: Lab;
beforeAll(() => {
  if (isRoot) lab = new Lab();
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach((ctx) => {
  ctx.skip(!isRoot, 'needs root');
  ctx.skip(!probe().namespaces.includes('time'), 'this kernel has no time namespaces');
});
afterEach(() => lab?.stopAll());

const withTime = (timeOffsets: Linux['timeOffsets'], path?: string) => (spec: Spec) => {
  spec.linux?.namespaces?.push({ type: 'time', ...(path === undefined ? {} : { path }) });
  if (timeOffsets) Object.assign(spec.linux ?? {}, { timeOffsets });
};
const uptime = (text = readFileSync('/proc/uptime', 'utf8')) => Number(text.split(' ')[0]);

test.each([
  [{ boottime: { secs: 864_000 } }, 864_000],
  [{ boottime: { secs: -100, nanosecs: 500_000_000 } }, -99.5],
  [{ monotonic: { secs: 1000 } }, 0],
  [undefined, 0],
])('offsets %j: uptime is so much later', async (offsets, shift) => {
  const { out } = await lab.run(['cat', '/proc/uptime'], withTime(offsets));
  expect(uptime(out) - uptime()).toBeGreaterThan(shift - 3);
  expect(uptime(out) - uptime()).toBeLessThan(shift + 1);
});

test('it is in a namespace of its own, with the offsets that the config says; the launcher is not', async () => {
  const container = await lab.start(
    ['sleep', '100'],
    withTime({ monotonic: { secs: -5, nanosecs: 7 }, boottime: { secs: 9 } }),
  );
  const own = readlinkSync('/proc/self/ns/time');
  expect(readlinkSync(`/proc/${container.pid}/ns/time`)).not.toBe(own);
  for (const name of ['time', 'time_for_children'])
    expect(readlinkSync(`/proc/${container.launcherPid}/ns/${name}`)).toBe(own);
  const offsets = readFileSync(`/proc/${container.pid}/timens_offsets`, 'utf8').replaceAll(/ +/g, ' ');
  expect(offsets).toBe('monotonic -5 7\nboottime 9 0\n');
});

test('in a user namespace too, and joined by path and by exec', async () => {
  const map = [{ containerID: 0, hostID: 0, size: 65536 }];
  const inUser = await lab.run(['cat', '/proc/uptime'], (spec) => {
    withTime({ boottime: { secs: 864_000 } })(spec);
    spec.linux?.namespaces?.push({ type: 'user' });
    Object.assign(spec.linux ?? {}, { uidMappings: map, gidMappings: map });
  });
  expect(uptime(inUser.out) - uptime()).toBeGreaterThan(863_000);

  const first = await lab.start(['sleep', '100'], withTime({ boottime: { secs: 864_000 } }));
  const joined = await lab.start(['sleep', '100'], withTime(undefined, `/proc/${first.pid}/ns/time`));
  expect(readlinkSync(`/proc/${joined.pid}/ns/time`)).toBe(readlinkSync(`/proc/${first.pid}/ns/time`));

  const startTime = Number(readFileSync(`/proc/${first.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]);
  const spec: Spec = {
    ociVersion: '1.3.0',
    linux: { namespaces: [{ type: 'time' }, { type: 'pid' }, { type: 'mount' }] },
  };
  const state = { id: first.id, pid: first.pid, startTime, created: '', spec };
  const further = await exec(
    state,
    { args: ['sleep', '100'], cwd: '/' },
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  try {
    expect(readlinkSync(`/proc/${further.pid}/ns/time`)).toBe(readlinkSync(`/proc/${first.pid}/ns/time`));
  } finally {
    await further.stop();
  }
});

test.each<[Linux['timeOffsets'], RegExp, string?]>([
  [{ boottime: { nanosecs: 1_000_000_000 } }, /linux\.timeOffsets\.boottime\.nanosecs/],
  [{ monotonic: { secs: 0.5 } }, /linux\.timeOffsets\.monotonic\.secs/],
  [
    { boottime: { secs: 1 } },
    /linux\.timeOffsets: only a new time namespace.*joins one/,
    '/proc/self/ns/time',
  ],
  // The clock would begin before 0: the kernel's answer, with the field's name.
  [{ boottime: { secs: -(2 ** 40) } }, /(ERANGE|EINVAL|ENOENT|34).*linux\.timeOffsets/s],
])('refused by name: %j', async (offsets, message, path) => {
  await expect(lab.start(['true'], withTime(offsets, path))).rejects.toThrow(message);
});

test('offsets without a namespace to have them are refused', async () => {
  const only = (spec: Spec) => Object.assign(spec.linux ?? {}, { timeOffsets: { boottime: { secs: 1 } } });
  await expect(lab.start(['true'], only)).rejects.toThrow(/linux\.timeOffsets: .* has none/);
});
