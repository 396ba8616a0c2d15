/** Names as docker's users type them, and those that nobody may type. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullName, parseReference, shortName } from '../../src/image/reference.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

test.each([
  ['alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['alpine:3.20', 'docker.io/library/alpine:3.20', 'alpine:3.20'],
  ['docker.io/a.b/c', 'docker.io/a.b/c:latest', 'docker.io/a.b/c:latest'],
  ['user/app', 'docker.io/user/app:latest', 'user/app:latest'],
  ['docker.io/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['index.docker.io/a/b', 'docker.io/a/b:latest', 'a/b:latest'],
  ['localhost/a', 'localhost/a:latest', 'localhost/a:latest'],
  ['host:5000/a/b:tag', 'host:5000/a/b:tag', 'host:5000/a/b:tag'],
  ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  ['GHCR.io/a/b', 'ghcr.io/a/b:latest', 'ghcr.io/a/b:latest'],
  ['a__b/c-d.e---f', 'docker.io/a__b/c-d.e---f:latest', 'a__b/c-d.e---f:latest'],
  [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
  [`alpine:3@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
])('%s is %s', (typed, full, short) => {
  expect(fullName(parseReference(typed))).toBe(full);
  expect(shortName(parseReference(typed))).toBe(short);
});

test.each([
  ['', 'empty'],
  ['/', 'empty'],
  ['a//b', 'empty'],
  ['host:5000/', 'empty'],
  ['Alpine', 'small letters'],
  ['host:5000/App', 'small letters'],
  ['docker://alpine', 'leave out the docker://'],
  ['https://ghcr.io/a', 'leave out the https://'],
  ['a:', 'a tag'],
  ['a:-x', 'a tag'],
  [`a:${'t'.repeat(129)}`, 'a tag'],
  ['a@sha256:12', 'a digest'],
  ['a@md5:12', 'a digest'],
  [`a@${digest}@${digest}`, 'a digest'],
  ['a/../b', '".."'],
  ['../a', 'is no host'],
  ['.a', '".a"'],
  ['a b', '"a b"'],
  ['a___b', '"a___b"'],
  ['a\nb', 'a part has'],
  ['host:99999/a', 'is no host'],
  ['host_x.org/a', 'is no host'],
  ['user@host.org/a', 'a digest'],
  ['host.org?x=/a', 'is no host'],
  [`${'a/'.repeat(128)}a`, 'longer than 255'],
  ['0a'.repeat(32), 'an id'],
])('%j is refused', (typed, why) => {
  expect(() => parseReference(typed)).toThrow(why);
});

test('what is accepted reads back as itself, and joins no other path or host', () => {
  const piece = fc.string({ unit: fc.constantFrom(...'abZ0.:/@_-%?# \n[]'), maxLength: 30 });
  fc.assert(
    fc.property(fc.oneof(piece, fc.string()), (typed) => {
      let parsed: ReturnType<typeof parseReference>;
      try {
        parsed = parseReference(typed);
      } catch {
        return;
      }
      const again = parseReference(fullName(parsed));
      expect(fullName(again)).toBe(fullName(parsed));
      expect(fullName(parseReference(shortName(parsed)))).toBe(fullName(parsed));
      const url = new URL(`https://${parsed.registry}/v2/${parsed.repository}/tags/list`);
      expect(url.pathname).toBe(`/v2/${parsed.repository}/tags/list`);
      expect(url.username + url.search + url.hash).toBe('');
    }),
    { numRuns: 5000 },
  );
});
