/**
 * Whose course this is. Lessons need root, so tslab mostly runs under sudo; what it keeps still belongs to the
 * person who typed sudo: their home, their files.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';

export interface Learner {
  name: string;
  uid: number;
  gid: number;
  home: string;
  /** Whether we are root on their behalf: then the environment's HOME and XDG_* may be anybody's. */
  sudo: boolean;
}

export function learner(env: NodeJS.ProcessEnv = process.env): Learner {
  const name = env.SUDO_USER;
  if (process.getuid?.() === 0 && name && name !== 'root') {
    const found = lookUp(name);
    if (!found)
      throw new Error(`sudo says that you are ${name}, but neither getent nor /etc/passwd knows this user`);
    return { ...found, sudo: true };
  }
  const { username, uid, gid, homedir } = userInfo();
  return { name: username, uid, gid, home: ownHome(env.HOME, uid) ?? homedir, sudo: false };
}

/** Root may have come by a way that kept somebody else's HOME (su -m): there, they lay the symlinks that root would follow. */
function ownHome(home: string | undefined, uid: number): string | undefined {
  const owner = home ? statSync(home, { throwIfNoEntry: false })?.uid : undefined;
  return uid === 0 && owner !== undefined && owner !== 0 ? undefined : home || undefined;
}

/** passwd(5): name, password, uid, gid, gecos, home, shell. getent knows users of LDAP and the like, too. */
function lookUp(name: string): Omit<Learner, 'sudo'> | undefined {
  const getent = spawnSync('getent', ['passwd', '--', name], { encoding: 'utf8' });
  const table = getent.status === 0 ? getent.stdout : readFileSync('/etc/passwd', 'utf8');
  const fields = table.split('\n').map((line) => line.split(':'));
  const [, , uid, gid, , home] = fields.find(([user]) => user === name) ?? [];
  return uid && gid && home ? { name, uid: Number(uid), gid: Number(gid), home } : undefined;
}

/** Node has these wherever Linux is; its types know no initgroups. */
type Ids = Pick<NodeJS.Process, 'setegid' | 'seteuid' | 'setgroups'> & {
  initgroups?: (user: string, gid: number) => void;
};

/**
 * Does something with files as the learner, so that the kernel refuses what the learner may not do: a symlink in
 * their home can't make root write or read elsewhere. Only synchronous work: ids are the whole process's.
 */
export function asLearner<T>(who: Learner, work: () => T): T {
  if (!who.sudo) return work();
  const { setegid, seteuid, setgroups, initgroups } = process as unknown as Required<Ids>;
  const groups = process.getgroups?.() ?? [];
  const gid = process.getegid?.() ?? 0;
  const mask = process.umask(0o022);
  // Groups first and last: without euid 0 they can't be changed (setgroups(2)).
  initgroups(who.name, who.gid);
  setegid(who.gid);
  seteuid(who.uid);
  try {
    return work();
  } catch (error) {
    (error as Error).message += ` (as ${who.name})`;
    throw error;
  } finally {
    seteuid(0);
    setegid(gid);
    setgroups(groups);
    process.umask(mask);
  }
}
