/** From an image's config to a container's. */
import { describe, expect, test } from 'vitest';
import { anonymousVolumes, applyImage, argsOf } from '../../src/image/container.ts';
import { mergeEnv } from '../../src/image/env.ts';
import type { Image } from '../../src/image/types.ts';
import type { Spec } from '../../src/oci/spec.ts';

const asked = { command: [], env: [] };

// image-spec, config.md: Entrypoint "arguments to use as the command", Cmd "default arguments to the entrypoint".
test.each([
  [{ Cmd: ['a', 'b'] }, asked, ['a', 'b']],
  [{ Entrypoint: ['e'], Cmd: ['a'] }, asked, ['e', 'a']],
  [{ Entrypoint: ['e'], Cmd: ['a'] }, { ...asked, command: ['x'] }, ['e', 'x']],
  [{ Entrypoint: ['e'], Cmd: ['a'] }, { ...asked, entrypoint: 'f' }, ['f']],
  [{ Entrypoint: ['e'], Cmd: ['a'] }, { ...asked, entrypoint: '', command: ['x', 'y'] }, ['x', 'y']],
])('%j with %j runs %j', (config, wish, args) => {
  expect(argsOf(config, wish, 'app')).toEqual(args);
});

test('nothing to run', () => {
  expect(() => argsOf({ Cmd: ['a'] }, { ...asked, entrypoint: '' }, 'app')).toThrow(/names no program/);
});

test('of two variables with one name the later one counts', () => {
  expect(mergeEnv(['A=1', 'B=2'], ['A=3', 'C='])).toEqual(['A=3', 'B=2', 'C=']);
});

describe('applied to a config', () => {
  const image = (config: object): Image => ({
    name: 'app',
    descriptor: { mediaType: '', digest: 'sha256:0', size: 0 },
    manifest: { schemaVersion: 2, config: { mediaType: '', digest: '', size: 0 }, layers: [] },
    config: { architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } },
  });
  const folders = { layers: ['/l/1', '/l/2'], init: '/c/init', upper: '/c/upper', work: '/c/work' };
  const apply = (config: object): Spec => {
    const spec: Spec = { ociVersion: '1.3.0', process: { args: ['x'], cwd: '/', env: ['PATH=/bin'] } };
    applyImage(spec, image(config), folders, asked, undefined);
    return spec;
  };

  test('the lowest layer first, its own names on top of the image', () => {
    expect(JSON.parse(apply({}).annotations?.['org.tslab.overlay.lower'] ?? '')).toEqual([
      '/l/1',
      '/l/2',
      '/c/init',
    ]);
  });

  test('labels are annotations, but for those that this runtime would obey', () => {
    const Labels = { note: 'n', '': 'x', 'org.tslab.overlay.lower': '["/"]', 'org.tslab.no-pivot': 'true' };
    const { annotations } = apply({ Labels, StopSignal: 'SIGQUIT' });
    expect(annotations).toMatchObject({ note: 'n', 'org.opencontainers.image.stopSignal': 'SIGQUIT' });
    expect(annotations?.['org.tslab.no-pivot']).toBeUndefined();
    expect(annotations?.['org.tslab.overlay.lower']).toMatch(/init/);
    expect('' in (annotations ?? {})).toBe(false);
  });

  test('a working directory stays absolute and inside', () => {
    expect(apply({ WorkingDir: '../../srv/x' }).process?.cwd).toBe('/srv/x');
  });
});

test('volumes of the image, but for what is mounted there anyway', () => {
  const spec: Spec = { ociVersion: '1.3.0', mounts: [{ destination: '/data/' }] };
  expect(anonymousVolumes({ Volumes: { '/data': {}, '/a/../b': {}, '/': {} } }, spec)).toEqual(['/b']);
});
