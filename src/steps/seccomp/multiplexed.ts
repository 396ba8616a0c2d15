/**
 * On x86, socket(2) and its kin can also be called through socketcall(2), System V IPC through ipc(2): a rule that names
 * `socket` and didn't hold for socketcall(1, …) could be walked around. The argument list of such a call lies in memory,
 * where a filter can't look, so only rules without conditions are carried over.
 */
import type { Condition } from './rules.ts';

/** linux/net.h: SYS_SOCKET is 1, and so on. */
const socketcalls =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg';

/** linux/ipc.h. */
const ipcs = {
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

interface Multiplexed {
  readonly by: 'socketcall' | 'ipc';
  readonly condition: Condition;
}

/** ipc(2) takes the number from the lower 16 bits; above them stands a version. */
const through = (by: Multiplexed['by'], value: number): Multiplexed => ({
  by,
  condition: { arg: 0, op: 'MASKED_EQ', value: BigInt(value), mask: 0xffffn },
});

/** The call that stands for this one, and how its first argument tells. Only x86 has the two. */
export const multiplexed: ReadonlyMap<string, Multiplexed> = new Map([
  ...socketcalls.split(' ').map((name, i) => [name, through('socketcall', i + 1)] as const),
  ...Object.entries(ipcs).map(([name, number]) => [name, through('ipc', number)] as const),
]);
