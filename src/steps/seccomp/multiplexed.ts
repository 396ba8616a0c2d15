/**
 * On x86, socket(2) and its kin can also be called through socketcall(2), System V IPC through ipc(2): a rule that names
 * `socket` and didn't hold for socketcall(1, …) could be walked around. The argument list of such a call lies in memory,
 * where a filter can't look, so only rules without conditions are carried over.
 */
import type { Condition } from './rules.ts';

/** linux/net.h: SYS_SOCKET is 1. */
const socketcalls =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg'.split(
    ' ',
  );

/** linux/ipc.h. */
const ipcs: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};

/** ipc(2) takes the number from the lower 16 bits; above them stands a version. */
const first = (value: number): Condition => ({
  arg: 0,
  op: 'MASKED_EQ',
  value: BigInt(value),
  mask: 0xffffn,
});

/** The call that stands for this one, and how its first argument tells. Only x86 has the two. */
export function multiplexed(name: string): { by: 'socketcall' | 'ipc'; condition: Condition } | undefined {
  const socket = socketcalls.indexOf(name);
  if (socket >= 0) return { by: 'socketcall', condition: first(socket + 1) };
  const ipc = Object.hasOwn(ipcs, name) ? ipcs[name] : undefined;
  return ipc === undefined ? undefined : { by: 'ipc', condition: first(ipc) };
}
