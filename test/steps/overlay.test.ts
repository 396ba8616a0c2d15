/** What a config says about layers, as steps. */
import { expect, test } from 'vitest';
import overlay from '../../lessons/10-overlay/stage.ts';
import type { Facts } from '../../src/facts/facts.ts';
import type { Spec } from '../../src/oci/spec.ts';
import { withMounter } from '../../src/steps/overlay/ids.ts';

const facts = (byDescriptor: boolean, uid = 0): Facts =>
  ({ uid, overlay: { byDescriptor, mapsLayers: byDescriptor, ownRoot: false } }) as Facts;
const spec = (annotations: Record<string, string>): Spec => ({
  ociVersion: '1.3.0',
  root: { path: '/merged' },
  annotations: Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`org.tslab.overlay.${name}`, value]),
  ),
  linux: { namespaces: [{ type: 'mount' }] },
});
const whole = { lower: '["/a","/b"]', upper: '/u', work: '/w' };

test('without layers there is nothing to do', () => {
  expect(overlay(spec({}), facts(true))).toEqual([]);
});

test('the uppermost layer is named first', () => {
  const opened = overlay(spec(whole), facts(true)).flatMap((step) =>
    step.kind === 'open' ? [step.path] : [],
  );
  expect(opened).toEqual(['/b', '/a', '/u', '/w']);
});

test('root’s hand is the host’s; an ordinary user’s is the child’s, with attributes of their own', () => {
  expect(new Set(overlay(spec(whole), facts(true)).map(({ at }) => at))).toEqual(new Set(['host']));
  const steps = overlay(spec(whole), facts(true, 1000));
  expect(new Set(steps.map(({ at }) => at))).toEqual(new Set(['child']));
  expect(steps).toContainEqual(expect.objectContaining({ key: 'userxattr' }));
});

test('an older kernel is told short names, so that a hundred fit into one page', () => {
  const lower = JSON.stringify(Array.from({ length: 500 }, (_, i) => `/${'long/'.repeat(40)}${i}`));
  const mounted = overlay(spec({ ...whole, lower }), facts(false)).find(
    (step) => step.kind === 'mount' && step.fstype === 'overlay',
  );
  const { data = '' } = mounted as { data?: string };
  expect(data).toMatch(/^lowerdir=499:498:.*:1:0,upperdir=u,workdir=w,metacopy=off,redirect_dir=nofollow/);
  expect(data.length).toBeLessThan(4096);
});

test.each([
  [{ lower: 'x' }, /lower.*JSON array/],
  [{ ...whole, lower: '[]' }, /lower.*JSON array/],
  [{ ...whole, lower: '["a"]' }, /absolute/],
  [{ ...whole, lower: '["/a\\u0000b"]' }, /absolute/],
  [{ ...whole, lower: JSON.stringify(Array(501).fill('/a')) }, /1 to 500/],
  [{ lower: '["/a"]' }, /one folder alone/],
  [{ lower: '["/a"]', upper: '/u' }, /belong together/],
  [{ ...whole, work: 'w' }, /work.*absolute/],
  [{ ...whole, init: '/c' }, /none of the lower/],
  [{ upper: '/u' }, /without org.tslab.overlay.lower/],
])('%j is refused by name', (annotations, message) => {
  expect(() => overlay(spec(annotations as Record<string, string>), facts(true))).toThrow(message);
});

test('a tree of one’s own is needed', () => {
  const host = { ...spec(whole), linux: { namespaces: [] } };
  expect(() => overlay(host, facts(true))).toThrow(/mount namespace/);
  const joined = {
    ...spec(whole),
    linux: { namespaces: [{ type: 'mount' as const, path: '/proc/1/ns/mnt' }] },
  };
  expect(() => overlay(joined, facts(true))).toThrow(/not a joined one/);
});

test('who mounts is somebody in the maps of the layers, too', () => {
  expect(withMounter([{ containerID: 0, hostID: 5000, size: 100 }])).toEqual([
    { containerID: 0, hostID: 5000, size: 100 },
    { containerID: 100, hostID: 0, size: 1 },
  ]);
  const own = [{ containerID: 0, hostID: 0, size: 1 }];
  expect(withMounter(own)).toBe(own);
});
