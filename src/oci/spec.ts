/** The OCI runtime config (config.json, runtime-spec 1.3), as far as tslab types it. */

export interface Spec {
  ociVersion: string;
  root?: { path: string; readonly?: boolean };
  process?: Process;
  hostname?: string;
  domainname?: string;
  mounts?: Mount[];
  annotations?: Record<string, string>;
  linux?: Linux;
}

/** config.md, "Process". */
export interface Process {
  args: string[];
  cwd: string;
  env?: string[];
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user?: { uid: number; gid: number; umask?: number; additionalGids?: number[] };
  capabilities?: Partial<Record<CapabilitySet, string[]>>;
  noNewPrivileges?: boolean;
  rlimits?: { type: string; soft: number; hard: number }[];
  oomScoreAdj?: number;
}

export type CapabilitySet = 'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient';

/** config.md, "Mounts". */
export interface Mount {
  destination: string;
  source?: string;
  type?: string;
  options?: string[];
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface IdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** config-linux.md. */
export interface Linux {
  namespaces?: { type: NamespaceType; path?: string }[];
  uidMappings?: IdMapping[];
  gidMappings?: IdMapping[];
  cgroupsPath?: string;
  resources?: {
    memory?: { limit?: number };
    pids?: { limit?: number };
    cpu?: { quota?: number; period?: number };
  };
  rootfsPropagation?: 'private' | 'shared' | 'slave' | 'unbindable';
  maskedPaths?: string[];
  readonlyPaths?: string[];
  timeOffsets?: Record<string, { secs?: number; nanosecs?: number }>;
}

/** Whether the config asks for a namespace of its own (no path), joins one (path), or shares the host's. */
export function namespace(spec: Spec, type: NamespaceType): { path?: string } | undefined {
  return spec.linux?.namespaces?.find((n) => n.type === type);
}
