/** What the options of `exec` make of a process. */
import type { CapabilitySet, Process } from '../oci/spec.ts';
import { readProcess } from '../runtime/bundle.ts';

export interface ProcessFlags {
  process?: string;
  tty?: boolean;
  cwd?: string;
  user?: string;
  additionalGids?: string[];
  env?: string[];
  cap?: string[];
  newPrivs: boolean;
  processLabel?: string;
  apparmor?: string;
}

/**
 * The container's own process, or the file's, as far as no option says otherwise.
 *
 * @throws Error naming the option and what it takes; ConfigError naming file and field.
 */
export function processFrom(own: Process | undefined, args: string[], flags: ProcessFlags): Process {
  const base = flags.process === undefined ? own : readProcess(flags.process);
  if (flags.process === undefined ? args.length === 0 : args.length > 0)
    throw new Error('exec: it takes either a command, or --process FILE');
  const program: Process = {
    ...base,
    args: args.length > 0 ? args : (base?.args ?? []),
    cwd: flags.cwd ?? base?.cwd ?? '/',
    env: withEnv(base?.env ?? [], flags.env ?? []),
    terminal: flags.tty === true || (flags.process !== undefined && base?.terminal === true),
    ...userFrom(base, flags),
    ...(flags.newPrivs ? {} : { noNewPrivileges: true }),
    ...(flags.processLabel === undefined ? {} : { selinuxLabel: flags.processLabel }),
    ...(flags.apparmor === undefined ? {} : { apparmorProfile: flags.apparmor }),
  };
  return flags.cap ? { ...program, capabilities: withCapabilities(program, flags.cap) } : program;
}

/** A variable that is there already gets the new value: of two, programs take the first. */
function withEnv(env: readonly string[], added: readonly string[]): string[] {
  const wrong = added.find((entry) => entry.indexOf('=') < 1);
  if (wrong !== undefined) throw new Error(`--env ${wrong}: it takes name=value`);
  const name = (entry: string) => entry.slice(0, entry.indexOf('='));
  const names = new Set(added.map(name));
  return [...env.filter((entry) => !names.has(name(entry))), ...added];
}

function userFrom(base: Process | undefined, { user, additionalGids }: ProcessFlags): Pick<Process, 'user'> {
  if (user === undefined && additionalGids === undefined) return {};
  const found = /^(\d+)(?::(\d+))?$/.exec(user ?? `${base?.user?.uid ?? 0}:${base?.user?.gid ?? 0}`);
  if (!found) throw new Error(`--user ${user}: it takes numbers, uid or uid:gid`);
  const umask = base?.user?.umask;
  // Another user's groups are not this one's.
  const had = user === undefined ? (base?.user?.additionalGids ?? []) : [];
  const uid = Number(found[1]);
  return {
    user: {
      uid,
      gid: Number(found[2] ?? base?.user?.gid ?? 0),
      additionalGids: [...had, ...(additionalGids ?? []).flatMap((text) => text.split(',')).map(gid)],
      ...(umask === undefined ? {} : { umask }),
    },
  };
}

function gid(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--additional-gids ${text}: it takes numbers`);
  return Number(text);
}

/**
 * Of root the effective set follows from the others at exec; what another user is to have after it, has to be ambient, and so
 * inheritable (capabilities(7), "Transformation of capabilities during execve()").
 */
function withCapabilities(
  { capabilities = {}, user }: Process,
  added: readonly string[],
): NonNullable<Process['capabilities']> {
  const names = added.map((text) => `CAP_${text.toUpperCase().replace(/^CAP_/, '')}`);
  const sets: CapabilitySet[] = ['bounding', 'effective', 'permitted'];
  if ((user?.uid ?? 0) !== 0) sets.push('inheritable', 'ambient');
  const more = sets.map((set) => [set, [...new Set([...(capabilities[set] ?? []), ...names])]]);
  return { ...capabilities, ...Object.fromEntries(more) };
}
