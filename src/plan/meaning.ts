/** What a step means, in a sentence, in the learner's language. The man page of the call is the source. */
import type { Call } from './step.ts';

export interface Text {
  readonly en: string;
  readonly zh: string;
}

type Meaning = { [K in Call['kind']]: (call: Extract<Call, { kind: K }>) => Text };

export function meaning(call: Call): Text {
  const tell = meanings[call.kind] as (call: Call) => Text;
  return tell(call);
}

const t = (en: string, zh: string): Text => ({ en, zh });

const meanings: Meaning = {
  clone: (c) =>
    c.cgroup !== undefined
      ? t(
          'a new process is born, in its own cgroup and new namespaces',
          '诞生一个新进程，一出生就在自己的 cgroup 和新的命名空间里',
        )
      : c.flags.length === 0
        ? t(
            'a new process is born, in all of the parent’s namespaces',
            '诞生一个新进程，它仍在父进程的所有命名空间里',
          )
        : t('a new process is born, in new namespaces', '诞生一个新进程，同时进入新的命名空间'),
  unshare: () => t('leaves the shared namespaces for new ones', '离开共享的命名空间，进入新的'),
  pidfd: () =>
    t(
      'takes hold of a process by descriptor, so that a recycled PID can’t fool us',
      '用描述符抓住一个进程，PID 被复用也不会认错',
    ),
  setns: () => t('enters namespaces that exist already', '进入已经存在的命名空间'),
  await: () =>
    t(
      'the launcher leaves; the child waits here until somebody says start',
      '启动器就此离开；子进程停在这里，等外面说“开始”',
    ),
  lookup: () => t('makes sure that the program is there and may be executed', '确认程序存在，而且可以执行'),
  signal: () => t('sends a signal to exactly that process', '把信号发给这个进程，绝不会发错'),
  open: () => t('opens a file or directory and keeps it by name', '打开文件或目录，按名字留用'),
  close: () => t('closes a descriptor', '关闭一个描述符'),
  mkdir: (c) =>
    c.dir === undefined && c.path.startsWith('/sys/fs/cgroup/')
      ? t(
          'makes a cgroup: in this file system, a directory is one',
          '创建一个 cgroup：在这个文件系统里，目录就是 cgroup',
        )
      : t('makes a directory', '创建目录'),
  write: (c) =>
    (c.data === '0' && (c.path === '' || /\/(cgroup\.procs|tasks)$/.test(c.path))
      ? t(
          'moves itself into that cgroup: 0 stands for whoever writes',
          '把自己放进这个 cgroup：0 代表写入者自己',
        )
      : knownFiles.find(([name]) => name.test(c.path))?.[1]) ??
    t('writes to a kernel or container file', '向内核文件或容器内文件写入内容'),
  symlink: () => t('makes a symbolic link', '创建符号链接'),
  mknod: () => t('makes a device node', '创建设备节点'),
  rmdir: () => t('removes an empty directory', '删除空目录'),
  unlink: () => t('removes a file', '删除文件'),
  rmtree: () => t('removes a directory and all in it', '删除目录及其中的一切'),
  mount: (c) => mountMeaning(c.flags ?? [], c.fstype),
  umount: (c) =>
    c.flags?.includes('MNT_DETACH')
      ? t(
          'takes a mount out of the tree now, and frees it when nobody uses it',
          '立即从目录树摘下挂载，等没人使用时再释放',
        )
      : t('unmounts', '卸载'),
  pivot_root: () => t('swaps the root mount of this mount namespace', '换掉这个挂载命名空间的根挂载'),
  chroot: () =>
    t(
      'a path that starts with / now starts here, for this process and its children',
      '此后本进程及其子进程的“/”从这里算起',
    ),
  chdir: () => t('sets the working directory', '设置工作目录'),
  open_tree: () =>
    t('takes a copy of a mount, which hangs nowhere yet', '取一份挂载的副本，暂时不接到任何地方'),
  mount_setattr: (c) => attributeMeaning(c),
  move_mount: () => t('puts the mount that is held into its place', '把手里的挂载接到它的位置上'),
  userns: () =>
    t(
      'makes a user namespace that nobody lives in, for its id maps alone',
      '建一个没有进程的用户命名空间，只用它的 ID 映射',
    ),
  verify: () => t('makes sure that this is the device it claims to be', '确认它真的是那个设备'),
  mountpoint: () => t('makes the empty name to mount on, if it is missing', '如果没有挂载点，就建一个空的'),
  mask: () =>
    t(
      'hides a file behind /dev/null, a directory behind an empty one',
      '用 /dev/null 盖住文件，用空目录盖住目录',
    ),
  chown: () => t('gives a file to a user and a group', '把文件交给某个用户和组'),
  copytree: () =>
    t('copies what the first directory holds into the second', '把第一个目录里的内容复制到第二个'),
  sethostname: () => t('sets the host name of this UTS namespace', '设置此 UTS 命名空间的主机名'),
  setdomainname: () => t('sets the NIS domain name of this UTS namespace', '设置此 UTS 命名空间的 NIS 域名'),
  netlink: () =>
    t('asks the kernel to change network links, addresses or routes', '请求内核修改网络接口、地址或路由'),
  spawn: () =>
    t(
      'has a program of the host do its part, and waits for it',
      '让主机上的一个程序来做它那部分，并等它结束',
    ),
  share: () =>
    t(
      'is counted among those who use a thing that several containers share',
      '登记为多个容器共用之物的使用者之一',
    ),
  setsid: () =>
    t('starts a session of its own, free of the caller’s terminal', '开启自己的会话，脱离调用者的终端'),
  openpts: () => t('opens the program’s end of the terminal', '打开终端的程序一端'),
  winsize: () => t('sets the size of the terminal', '设置终端大小'),
  handover: () => t('gives the other end of the terminal to the launcher', '把终端的另一端交给启动器'),
  ctty: () =>
    t(
      'makes the terminal the session’s own, and standard input, output and error',
      '让它成为会话的控制终端，并作为标准输入、输出和错误',
    ),
  rlimit: () => t('limits what one process may use', '限制单个进程能用的资源'),
  setgroups: () => t('sets the supplementary groups', '设置附加组'),
  setgid: () => t('becomes this group', '变成这个组'),
  setuid: () => t('becomes this user', '变成这个用户'),
  capbset: () =>
    t('gives up for ever the power to gain other capabilities', '永远放弃再获得其他能力（capability）的可能'),
  capset: () => t('sets the capabilities it holds now', '设置它现在持有的能力（capability）'),
  capambient: () =>
    t('sets the capabilities that survive an exec', '设置执行新程序后仍保留的能力（capability）'),
  prctl: (c) => prctlMeaning(c.option),
  umask: () => t('sets which permissions new files don’t get', '设置新文件默认去掉的权限'),
  seccomp: () =>
    t(
      'from here on the kernel asks this filter before each system call, of all children too; it can’t be taken off',
      '从此每次系统调用（包括所有子进程的）内核都先问这个过滤器，而且再也卸不掉',
    ),
  sendfd: () =>
    t('gives the filter’s questions to an agent that answers them', '把过滤器的询问交给一个代理程序来回答'),
  personality: (c) =>
    c.persona === 8
      ? t('uname shows a 32-bit machine', '让 uname 显示 32 位机器')
      : t('runs as an ordinary Linux program', '以普通 Linux 程序的方式运行'),
  schedattr: () => t('sets how the scheduler shares out CPU time to it', '设置调度器如何给它分配 CPU 时间'),
  ioprio: () => t('sets whose turn it is at the disk', '设置它读写磁盘的优先级'),
  affinity: () => t('keeps it on these CPUs', '限定它只在这些 CPU 上运行'),
  mempolicy: () => t('sets which memory nodes its pages come from', '设置它的内存页取自哪些 NUMA 节点'),
  keyring: () =>
    t(
      'gets an empty session keyring: the caller’s keys stay outside',
      '换上空的会话密钥环，调用者的密钥留在外面',
    ),
  init: () =>
    t(
      'stays as a small init that reaps and forwards signals; its child goes on',
      '自己留下做一个小 init，收割僵尸并转发信号；由它的子进程继续',
    ),
  bpf: () =>
    t(
      'attaches a small program to the cgroup, which the kernel asks at every open of a device',
      '给这个 cgroup 挂上一小段程序，每次打开设备内核都先问它',
    ),
  fsopen: () =>
    t('begins a new file system, which has no parameters yet', '开始建一个新的文件系统，此时还没有任何参数'),
  fsconfig: (c) => fsconfigMeaning(c.command, c.key),
  fsmount: () => t('makes a mount of it, which hangs nowhere yet', '把它变成一个挂载，暂时不接到任何地方'),
  pidenv: () =>
    t(
      'tells the program its own number by a variable: only now is it known',
      '用一个环境变量告诉程序它自己的进程号：到这时才知道',
    ),
  listen: () => t('opens a socket for what the program will report', '打开一个套接字，等程序来报告'),
  ready: () => t('waits until the program says that it is ready', '等程序报告自己已就绪'),
  tell: () => t('passes the news on to the service manager', '把消息转告给服务管理器'),
  exec: () => t('becomes the program; from here on it is the container', '变成要运行的程序；从此它就是容器'),
};

/** Files of /proc, and those of a cgroup by their last name; the first that matches. */
const knownFiles: readonly (readonly [RegExp, Text])[] = [
  [/^[ug]id_map$/, t('says which ids outside the ids inside are', '规定里面的 id 对应外面的哪些 id')],
  [/^setgroups$/, t('nobody inside may ever drop a group', '里面谁也不能再丢掉自己的组')],
  [/\/timens_offsets$/, t('sets the clocks of the new time namespace', '设定新的时间命名空间里的时钟')],
  [
    /\/cgroup\.subtree_control$/,
    t('hands these controllers out to the cgroups below', '把这些控制器下放给下一层的 cgroup'),
  ],
  [
    /\/cpuset\.(cpus|mems)$/,
    t('says on which CPUs, or memory nodes, its processes may be', '规定其中的进程能用哪些 CPU 或内存节点'),
  ],
  [
    /\/devices\.(allow|deny)$/,
    t('says which devices its processes may open or make', '规定其中的进程能打开或创建哪些设备'),
  ],
  [/\/freezer\.state$/, t('lets its processes run', '让其中的进程继续运行')],
  [
    /\/(cpu|memory|pids|blkio|io|hugetlb|rdma|net_cls|net_prio)\.[\w.]+$/,
    t('sets a limit, or a weight, of the cgroup', '设置这个 cgroup 的限额或权重'),
  ],
];

function mountMeaning(flags: readonly string[], fstype: string | undefined): Text {
  const has = (...names: string[]) => names.some((name) => flags.includes(name));
  if (has('MS_PRIVATE')) return t('mounts no longer spread, in either direction', '挂载不再向任何一方传播');
  if (has('MS_SLAVE'))
    return t(
      'the host’s mounts still arrive here, ours don’t reach the host',
      '主机的挂载还会传进来，我们的不会传出去',
    );
  if (has('MS_SHARED'))
    return t('mounts made here appear in every peer, too', '在这里做的挂载也会出现在所有对等方');
  if (has('MS_REMOUNT')) return t('changes the flags of this mount point', '更改这个挂载点的标志');
  if (has('MS_BIND'))
    return t('shows an existing directory or file at a second place', '让已有的目录或文件出现在第二个地方');
  if (has('MS_MOVE')) return t('moves a mount to another place', '把挂载移到另一处');
  const known: Record<string, Text> = {
    proc: t('a view of the processes in this PID namespace', '这个 PID 命名空间里的进程视图'),
    sysfs: t('a view of devices and drivers', '设备和驱动的视图'),
    tmpfs: t('an empty file system in memory', '内存里的一个空文件系统'),
    devpts: t('a set of pseudo-terminals of its own', '一套自己的伪终端'),
    mqueue: t('the POSIX message queues of this IPC namespace', '这个 IPC 命名空间的 POSIX 消息队列'),
    cgroup2: t('the cgroup tree as this cgroup namespace shows it', '这个 cgroup 命名空间看到的 cgroup 树'),
    cgroup: t('a cgroup controller’s tree', '某个 cgroup 控制器的目录树'),
    overlay: t('read-only layers with a writable one on top', '只读层叠在下面，上面加一个可写层'),
  };
  return known[fstype ?? ''] ?? t('attaches a file system to the tree', '把文件系统接到目录树上');
}

function attributeMeaning(c: Extract<Call, { kind: 'mount_setattr' }>): Text {
  if (c.userns !== undefined)
    return t(
      'files seen through this mount change their owners by a map',
      '通过这个挂载看到的文件，属主按映射表转换',
    );
  if (c.set?.includes('MOUNT_ATTR_RDONLY')) return t('makes this mount read-only', '把这个挂载变成只读');
  if (c.propagation?.length && !c.set?.length && !c.clear?.length)
    return mountMeaning(c.propagation, undefined);
  return t('changes what this mount allows, and nothing else', '只更改这个挂载允许的操作，其他不变');
}

function fsconfigMeaning(command: string, key: string | undefined): Text {
  if (command === 'FSCONFIG_CMD_CREATE')
    return t(
      'the file system comes to be, with all that it was told',
      '按前面给出的全部参数，文件系统就此建成',
    );
  const known: Record<string, Text> = {
    'lowerdir+': t(
      'one more read-only layer, below those named before it',
      '再加一个只读层，叠在前面各层的下面',
    ),
    upperdir: t('all changes are written into this folder', '所有改动都写进这个目录'),
    workdir: t(
      'where the kernel prepares a change before it appears in one go',
      '内核先在这里准备改动，再让它一步到位地出现',
    ),
    userxattr: t(
      'an ordinary user’s notes about layers are read: attributes named user.overlay',
      '层的标记改用普通用户也能写的 user.overlay 扩展属性',
    ),
  };
  return known[key ?? ''] ?? t('tells the file system one of its parameters', '告诉文件系统一个参数');
}

function prctlMeaning(option: string): Text {
  if (option === 'PR_SET_NO_NEW_PRIVS')
    return t(
      'no later exec can gain privileges (setuid programs stay powerless)',
      '之后的 exec 都不能再获得特权（setuid 程序失效）',
    );
  if (option === 'PR_SET_PDEATHSIG')
    return t('asks for a signal when the parent dies', '父进程死亡时给自己发信号');
  if (option === 'PR_SET_KEEPCAPS')
    return t('keeps permitted capabilities when the user changes', '切换用户时保留许可的能力');
  return t('sets an attribute of the process', '设置进程的一个属性');
}
