import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asLearner, type Learner, learner } from '../../src/course/learner.ts';
import { progressFile } from '../../src/course/progress.ts';
import { workspace } from '../../src/course/workspace.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
let home: string;
let who: Learner;
const warnings: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'home-'));
  who = { name: 'nobody', uid: NOBODY, gid: NOBODY, home, sudo: isRoot };
  if (isRoot) chownSync(home, NOBODY, NOBODY);
  warnings.length = 0;
});
afterEach(() => rmSync(home, { recursive: true }));

const progress = () => progressFile(who, (message) => warnings.push(message), { XDG_STATE_HOME: undefined });
const owner = (path: string) => statSync(path).uid;

describe('learner', () => {
  test('is who typed sudo, with the home of the user table, whatever HOME says', (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    const expected = execFileSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' }).split(':')[5];
    expect(learner({ SUDO_USER: 'nobody', SUDO_UID: '0', HOME: '/tmp/elsewhere' })).toEqual({
      name: 'nobody',
      uid: NOBODY,
      gid: NOBODY,
      home: expected,
      sudo: true,
    });
  });

  test('is root in their own home, also when HOME is still another’s', (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    expect(learner({ HOME: home }).home).toBe(userInfo().homedir); // it belongs to nobody
  });

  test('that nobody knows is an error, not root', (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    expect(() => learner({ SUDO_USER: 'no-such-user-here' })).toThrow(/neither getent nor \/etc\/passwd/);
  });

  test('without sudo is oneself', () => {
    expect(learner({ HOME: '/somewhere' })).toMatchObject({
      uid: process.getuid?.(),
      home: '/somewhere',
      sudo: false,
    });
  });

  test("what is done as the learner can't reach what the learner can't, and afterwards all is as before", (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    const groups = process.getgroups?.();
    expect(() => asLearner(who, () => readFileSync('/etc/shadow'))).toThrow(/EACCES/);
    expect([process.geteuid?.(), process.getegid?.(), process.getgroups?.()]).toEqual([0, 0, groups]);
    expect(readFileSync('/etc/shadow').length).toBeGreaterThan(0);
  });
});

describe('progress', () => {
  test('is kept by lesson id, in a file of the learner', () => {
    progress().lesson('pid', { position: 4, parts: 9 });
    progress().lesson('pid', { attempts: 1 });
    expect(progress().read().lessons).toEqual({ pid: { position: 4, parts: 9, attempts: 1 } });
    const { file } = progress();
    expect(file).toBe(join(home, '.local/state/tslab/progress.json'));
    if (isRoot) expect([owner(file), owner(join(home, '.local'))]).toEqual([NOBODY, NOBODY]);
  });

  test('XDG_STATE_HOME counts without sudo only', () => {
    const at = (sudo: boolean) => progressFile({ ...who, sudo }, () => {}, { XDG_STATE_HOME: '/xdg' }).file;
    expect(at(false)).toBe('/xdg/tslab/progress.json');
    expect(at(true)).toBe(join(home, '.local/state/tslab/progress.json'));
  });

  test.each(['{"version":', '[]', '{"version":1,"lessons":{"pid":3}}', '{"version":7,"lessons":{}}'])(
    'an unreadable file is moved aside, loudly: %s',
    (text) => {
      progress().lesson('pid', { attempts: 1 });
      const { file } = progress();
      writeFileSync(file, text);
      expect(progress().read().lessons).toEqual({});
      expect(warnings).toEqual([expect.stringContaining(`It is now ${file}.unreadable`)]);
      expect(readFileSync(`${file}.unreadable`, 'utf8')).toBe(text);
    },
  );

  test('a symlink in the way leads root nowhere', (ctx) => {
    ctx.skip(!isRoot, 'needs root');
    const target = mkdtempSync(join(tmpdir(), 'roots-'));
    chmodSync(target, 0o700);
    mkdirSync(join(home, '.local'));
    symlinkSync(target, join(home, '.local/state'));
    expect(() => progress().lesson('pid', { attempts: 1 })).toThrow(/EACCES/);
    rmSync(target, { recursive: true });
  });
});

describe('workspace', () => {
  test("gets the starter and what an editor needs, all of it the learner's", () => {
    const folder = workspace(who);
    expect(folder.begin('pid', 'starter')).toBe(true);
    for (const path of ['pid.ts', 'tsconfig.json', 'node_modules/tslab/package.json'])
      expect(() => readFileSync(join(home, 'tslab', path)), path).not.toThrow();
    if (isRoot)
      for (const path of ['', 'pid.ts', 'tsconfig.json'])
        expect(owner(join(home, 'tslab', path))).toBe(NOBODY);
  });

  test('is never overwritten; a reset keeps what was there', () => {
    const folder = workspace(who);
    folder.begin('pid', 'starter');
    writeFileSync(folder.fileOf('pid'), 'my work');
    expect(folder.begin('pid', 'starter')).toBe(false);
    expect(readFileSync(folder.fileOf('pid'), 'utf8')).toBe('my work');
    expect(folder.reset('pid', 'starter')).toBe(`${folder.fileOf('pid')}.backup`);
    expect(folder.reset('pid', 'starter')).toBe(`${folder.fileOf('pid')}.backup.2`);
    expect(readFileSync(`${folder.fileOf('pid')}.backup`, 'utf8')).toBe('my work');
    expect(readFileSync(folder.fileOf('pid'), 'utf8')).toBe('starter');
  });

  test('a dangling symlink for a file is not written through', () => {
    const folder = workspace(who);
    folder.begin('uts', 'starter');
    symlinkSync(join(home, 'elsewhere'), folder.fileOf('pid'));
    expect(folder.begin('pid', 'starter')).toBe(false);
    expect(() => statSync(join(home, 'elsewhere'))).toThrow(/ENOENT/);
  });

  test('may be any folder', () => {
    const folder = workspace(who, join(home, 'other'));
    folder.begin('pid', 'starter');
    expect(readFileSync(join(home, 'other/pid.ts'), 'utf8')).toBe('starter');
  });
});
