/** An ordinary user for tests: in a mount namespace where the system's lists of users and ranges name them, so that the machine's own stay as they are. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.ts';

export const UID = 54321;
/** The first id of their range, and how many. */
export const RANGE = { first: 700_000, count: 65_536 };

export class OrdinaryUser {
  /** Asked once: it takes as long as the shorter tests. */
  static #mayRun: boolean | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'tslab-user-'));
  readonly home = join(this.#folder, 'home');

  /** @param ranges the text of /etc/subuid and /etc/subgid. */
  constructor(ranges = `learner:${RANGE.first}:${RANGE.count}\n`) {
    spawnSync('chmod', ['755', this.#folder]);
    mkdirSync(this.home);
    chownSync(this.home, UID, UID);
    const add = (file: string, line: string) =>
      writeFileSync(join(this.#folder, file), `${readFileSync(`/etc/${file}`, 'utf8')}${line}\n`);
    add('passwd', `learner:x:${UID}:${UID}::${this.home}:/bin/sh`);
    add('group', `learner:x:${UID}:`);
    for (const file of ['subuid', 'subgid']) writeFileSync(join(this.#folder, file), ranges);
  }

  /** The words before a command that runs it as this user. */
  get become(): string[] {
    const binds = ['passwd', 'group', 'subuid', 'subgid']
      .map((file) => `touch /etc/${file} && mount --bind ${join(this.#folder, file)} /etc/${file}`)
      .join(' && ');
    const ids = `setpriv --reuid ${UID} --regid ${UID} --clear-groups --inh-caps=-all`;
    const environment = `env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=${this.home} TERM=xterm`;
    return ['unshare', '--mount', 'sh', '-c', `${binds} && exec ${ids} ${environment} "$@"`, 'sh'];
  }

  run(...command: string[]): SpawnSyncReturns<string> {
    const [first = '', ...rest] = [...this.become, ...command];
    return spawnSync(first, rest, { encoding: 'utf8', timeout: 25_000, cwd: '/' });
  }

  tslab(...args: string[]): SpawnSyncReturns<string> {
    return this.run(join(packageRoot, 'bin/tslab'), ...args);
  }

  /** Whether they may enter the checkout at all. */
  get mayRun(): boolean {
    OrdinaryUser.#mayRun ??= this.tslab('--version').status === 0;
    return OrdinaryUser.#mayRun;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
