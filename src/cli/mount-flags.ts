/** What the flags about mounts and devices mean in a config. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isVolumeName, volumeFolder, volumeMount } from '../image/volumes.ts';
import type { Device, Mount, Spec } from '../oci/spec.ts';

export interface MountFlags {
  volume?: string[];
  tmpfs?: string[];
  device?: string[];
}

/** @throws Error naming the flag and what it takes. */
export function addMounts(spec: Spec, { volume, tmpfs, device }: MountFlags): void {
  const more = [...(volume ?? []).map(bind), ...(tmpfs ?? []).map(memory)];
  if (more.length > 0) spec.mounts = [...(spec.mounts ?? []), ...more];
  if (!device) return;
  const devices = device.map(node);
  spec.linux = { ...spec.linux, devices: [...(spec.linux?.devices ?? []), ...devices] };
  // Where devices are closed by default, being given one opens it.
  const rules = spec.linux.resources?.devices;
  for (const { type, major = 0, minor = 0 } of devices)
    if (type !== 'p')
      rules?.push({ allow: true, type: type === 'b' ? 'b' : 'c', major, minor, access: 'rwm' });
}

function bind(text: string): Mount {
  const [source = '', destination = '', words = 'rw', ...rest] = text.split(':');
  if (source === '' || !destination.startsWith('/') || rest.length > 0)
    throw new Error(
      `--volume ${text}: it takes source:target or source:target:ro,…, the target absolute; the source is a path, or a volume's name`,
    );
  // As docker has it: a path is told from a name by its slash.
  if (isVolumeName(source)) return volumeMount(volumeFolder(source), destination, words.split(','));
  return { type: 'bind', source: resolve(source), destination, options: ['rbind', ...words.split(',')] };
}

function memory(text: string): Mount {
  const [destination = '', words, ...rest] = text.split(':');
  if (!destination.startsWith('/') || rest.length > 0)
    throw new Error(`--tmpfs ${text}: it takes an absolute path, or path:size=64m,…`);
  const options = ['nosuid', 'nodev', ...(words?.split(',') ?? [])];
  return { type: 'tmpfs', source: 'tmpfs', destination, options };
}

function node(text: string): Device {
  const [host = '', path = host, ...rest] = text.split(':');
  const found = host === '' || rest.length > 0 ? undefined : statSync(host, { throwIfNoEntry: false });
  if (!found?.isCharacterDevice() && !found?.isBlockDevice())
    throw new Error(`--device ${text}: it takes a device of the host, or device:path inside`);
  const { rdev, mode, uid, gid } = found;
  return {
    type: found.isBlockDevice() ? 'b' : 'c',
    path,
    // makedev(3): the numbers are woven into each other.
    major: (rdev >>> 8) & 0xfff,
    minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
    fileMode: mode & 0o777,
    uid,
    gid,
  };
}
