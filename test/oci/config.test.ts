/** A config that is not what the specification says is refused with the path of the fault. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, readBundle } from '../../src/runtime/bundle.ts';

let bundle: string;
beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), 'tslab-bundle-'));
  mkdirSync(join(bundle, 'rootfs'));
});
afterEach(() => rmSync(bundle, { recursive: true }));

const good = {
  ociVersion: '1.0.2',
  root: { path: 'rootfs' },
  process: { args: ['x'], cwd: '/', user: { uid: 0, gid: 0 } },
};
const read = (config: unknown) => {
  writeFileSync(join(bundle, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return readBundle(bundle);
};

test('a good one is read, its root made absolute, and what is unknown is ignored', () => {
  expect(read({ ...good, nobodyKnows: 1 }).root?.path).toBe(join(bundle, 'rootfs'));
});

test.each<[string, object | string, RegExp]>([
  ['no JSON', '{"ociVersion":', /config\.json: .*JSON/],
  ['no version', { root: { path: 'rootfs' } }, /must have required property 'ociVersion'/],
  ['another major version', { ...good, ociVersion: '2.0.0' }, /ociVersion: "2\.0\.0" is not a version 1/],
  ['no root', { ...good, root: undefined }, /root\.path: is required/],
  [
    'a root that is not there',
    { ...good, root: { path: 'nosuch' } },
    /root\.path: .*nosuch: no such directory/,
  ],
  [
    'a relative cwd',
    { ...good, process: { ...good.process, cwd: 'x' } },
    /process\.cwd: must be an absolute/,
  ],
  ['no program', { ...good, process: { ...good.process, args: [] } }, /process\.args/],
  [
    'a wrong type deep inside',
    { ...good, process: { ...good.process, user: { uid: 'root', gid: 0 } } },
    /process\.user\.uid: must be integer/,
  ],
  [
    'an unknown namespace',
    { ...good, linux: { namespaces: [{ type: 'pid' }, { type: 'nosuch' }] } },
    /linux\.namespaces\[1\]\.type: .*: mount, pid, network/,
  ],
  [
    'a namespace twice',
    { ...good, linux: { namespaces: [{ type: 'pid' }, { type: 'pid' }] } },
    /linux\.namespaces\[1\]\.type: pid is there twice/,
  ],
  [
    'a limit twice',
    {
      ...good,
      process: {
        ...good.process,
        rlimits: [
          { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
          { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
        ],
      },
    },
    /process\.rlimits\[1\]\.type: RLIMIT_CPU is there twice/,
  ],
  ['a host name of nobody', { ...good, hostname: 'x' }, /hostname: needs an entry of type uts/],
  [
    'a hook by a relative path',
    { ...good, hooks: { poststop: [{ path: 'x' }] } },
    /hooks\.poststop\[0\]\.path: must be an absolute path/,
  ],
  [
    'a hook without time',
    { ...good, hooks: { poststop: [{ path: '/x', timeout: 0 }] } },
    /hooks\.poststop\[0\]\.timeout/,
  ],
])('%s', (_, config, message) => {
  expect(() => read(config)).toThrow(ConfigError);
  expect(() => read(config)).toThrow(message);
});

test('a bundle without a config', () => {
  expect(() => readBundle(bundle)).toThrow(/open\(.*config\.json"\): ENOENT/);
});

test("an engine's own words are taken as the specification's", () => {
  const device = { type: 'c', path: '/dev/x', major: 1, minor: 3, fileMode: 0o020666 };
  const { linux } = read({ ...good, linux: { rootfsPropagation: 'rslave', devices: [device] } });
  expect(linux).toEqual({ rootfsPropagation: 'slave', devices: [{ ...device, fileMode: 0o666 }] });
});

test.each<[object, RegExp]>([
  [{ rootfsPropagation: 'sideways' }, /linux\.rootfsPropagation: .*: private, shared/],
  [{ devices: [{ type: 'c', path: '/dev/x', fileMode: 0o4666 }] }, /linux\.devices\[0\]\.fileMode/],
  [{ devices: 1 }, /linux\.devices: must be array/],
])("what is in nobody's words is refused: %j", (linux, message) => {
  expect(() => read({ ...good, linux })).toThrow(message);
});
