/** Asks the kernel, from inside Node, for what every container needs. Shows why the answer is no use. */
import { readdirSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';

const CLONE_NEWNS = 0x20000; // a mount namespace; values from linux/sched.h
const CLONE_NEWUSER = 0x10000000; // a user namespace

// #region ask
const libc = koffi.load(null); // the C library is in every Node process already
const unshare = libc.func('int unshare(int flags)');

/** The name of the error, or `done`. errno is read in the very next statement: later calls overwrite it. */
function ask(flags) {
  const result = unshare(flags);
  const errno = koffi.errno();
  if (result === 0) return 'done';
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}
// #endregion

// Each thread of a process has a directory of its own in /proc (proc_pid_task(5)).
const threads = readdirSync('/proc/self/task');
const mountNamespace = (thread) => readlinkSync(`/proc/self/task/${thread}/ns/mnt`);

console.log(`threads: ${threads.length}`);
console.log(`unshare(CLONE_NEWUSER): ${ask(CLONE_NEWUSER)}`);
console.log(`unshare(CLONE_NEWNS): ${ask(CLONE_NEWNS)}`);
for (const thread of threads) console.log(`  thread ${thread}: ${mountNamespace(thread)}`);
