import { expect, test } from 'vitest';
import { setClocks } from '../../src/cli/time-flags.ts';
import type { Spec } from '../../src/oci/spec.ts';

const config = (): Spec => ({ ociVersion: '1.3.0', linux: { namespaces: [{ type: 'pid' }] } });

test('a clock that is named asks for a time namespace, and for no other clock', () => {
  const spec = config();
  setClocks(spec, { boottime: '-60' });
  expect(spec.linux?.namespaces).toEqual([{ type: 'pid' }, { type: 'time' }]);
  expect(spec.linux?.timeOffsets).toEqual({ boottime: { secs: -60 } });
});

test('without the flags, the config stays as it is', () => {
  const spec = config();
  setClocks(spec, {});
  expect(spec).toEqual(config());
});

test.each(['ten', '1.5', '', '0x10'])('seconds are integers, not %j', (text) => {
  expect(() => setClocks(config(), { monotonic: text })).toThrow(/--monotonic .*: it takes seconds/);
});
