/**
 * What this host can do, read once and passed to the stages as data, so that planning is pure.
 * probe.ts reads it; tests write it by hand.
 */
export interface Facts {
  /** uname release, such as `6.18.44`. */
  readonly kernel: string;
  /** Effective ids of whoever asks. 0 means that no user namespace is needed. */
  readonly uid: number;
  readonly gid: number;
  /** Effective capabilities by name; root may lack some (containers, hardened hosts). */
  readonly capabilities: readonly string[];
  /** Namespace types for which /proc/self/ns has an entry, in OCI's words. */
  readonly namespaces: readonly string[];
  /** The highest capability that this kernel knows, by number; without it, all that tslab knows. */
  readonly lastCapability?: number;
  /** Security modules that give labels and are at work: apparmor, selinux. */
  readonly labels?: readonly string[];
  /** Actions that seccomp(2) filters may return here, in the kernel's words; empty without seccomp. */
  readonly seccomp?: readonly string[];
  /** Whose plan is made. `bundle` is the directory of its config.json, where there is one. */
  readonly container?: ContainerFacts;
  readonly cgroup: CgroupFacts;
  /** Whether `/` is a shared mount (systemd makes it so): then a mount made carelessly reaches the host. */
  readonly rootShared: boolean;
  readonly network?: NetworkFacts;
  /** Read only for a config whose root is made of layers (overlay.ts). */
  readonly overlay?: OverlayFacts;
  /** Read only for a config whose cgroup systemd gives a place. */
  readonly systemd?: SystemdFacts;
  /** Read only for an ordinary user: root needs nobody's leave. */
  readonly ids?: IdFacts;
}

export interface OverlayFacts {
  /** Layers can be handed over one by one, by descriptor. */
  readonly byDescriptor: boolean;
  /** Layers can be shown as the files of other ids while they are mounted nowhere. */
  readonly mapsLayers: boolean;
  /** The asker is root of a user namespace, who may not read attributes named `trusted`. */
  readonly ownRoot: boolean;
}

/** What the asking user may map into a user namespace besides their own ids. */
export interface IdFacts {
  readonly subuids: readonly IdRange[];
  readonly subgids: readonly IdRange[];
  /** The sysctl, as `name=value`, that would have to be set before an ordinary user may make a user namespace. */
  readonly usernsForbiddenBy?: string;
  /** Absolute paths of the set-user-id helpers, if the host has them. */
  readonly newuidmap?: string;
  readonly newgidmap?: string;
}

/** The systemd to ask, and with which programs: their absolute paths, and the variables by which they find it. */
export interface SystemdFacts {
  /** The host's, or the asking user's own. */
  readonly manager: 'system' | 'user';
  readonly busctl?: string;
  readonly systemctl?: string;
  readonly env: readonly string[];
}

export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** Of the network namespace of whoever asks. Read only for a config that asks for a network (network.ts). */
export interface NetworkFacts {
  /** Names of all links. */
  readonly links: readonly string[];
  /** IPv4 routes; a prefix of 0 is the default route. */
  readonly routes: readonly { link: string; destination: string; prefix: number }[];
  /** Of the link with the default route: what fits through it, fits to wherever it leads. */
  readonly mtu: number;
  readonly listening: readonly Listener[];
  /** Whether the host passes on what is not for itself (ip_forward). */
  readonly forwarding: boolean;
  /** The text of /etc/resolv.conf, or of what systemd-resolved writes for those who can't reach its own 127.0.0.53. */
  readonly resolv: string;
  /** Absolute paths of the programs nft and ip, if the host has them. */
  readonly nft?: string;
  readonly ip?: string;
  /** What this kernel lacks for a bridge's rules, and what nft said: then there can be no bridge. */
  readonly nftLack?: string;
  /** Whoever asks sees to the rest, the bridge and its rules and names: a container gets its cable and its own side of it. */
  readonly plugOnly?: boolean;
  /** Those of the host's links that the config moves, as they are before. */
  readonly devices: Readonly<Record<string, NetDevice>>;
}

/** A socket of the host that waits for others to speak first. */
export interface Listener {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

export interface NetDevice {
  readonly index: number;
  /** Those that stay: of global scope and without an end. */
  readonly addresses: readonly { address: string; prefix: number }[];
}

export interface ContainerFacts {
  readonly id?: string;
  readonly bundle?: string;
  /** It is created now and started later, when the launcher has gone. */
  readonly waits?: boolean;
}

export interface CgroupFacts {
  readonly layout: 'v1' | 'v2' | 'hybrid' | 'none';
  /** Mount point of the v2 tree, if there is one. */
  readonly unified?: string;
  /** v1: mount point by controller. */
  readonly controllers: Readonly<Record<string, string>>;
  /** Whether the asking user may make directories there. */
  readonly writable: boolean;
  /** Below the mount points, where this user may make cgroups: `/` for root, else the delegated one (cgroups(7)). */
  readonly base?: string;
  /** What cgroup.controllers says there: the controllers that the v2 tree has to give. */
  readonly unifiedControllers?: readonly string[];
  /** v1: the nearest cpuset above the container's that exists, and what a new one below it may have at most (cpuset(7)). */
  readonly cpuset?: { readonly at: string; readonly cpus: string; readonly mems: string };
  /** Whether block devices can be scheduled by BFQ: then weights have files of another name. */
  readonly bfq?: boolean;
  /** v2: whether the kernel takes BPF programs, which decide there about devices. */
  readonly bpf?: boolean;
  /** The files of a cgroup that go with it to another owner (/sys/kernel/cgroup/delegate). */
  readonly delegate?: readonly string[];
}
