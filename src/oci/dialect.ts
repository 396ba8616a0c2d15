/** What engines write and every runtime understands, though the specification's schema does not have it. */
import type { Device, Linux, Spec } from './spec.ts';

/** inode(7): the bits of a mode that say what sort of file it is. */
const S_IFMT = 0o170000;

/** The same config in the specification's own words. What is of a wrong type stays as it is, for the schema to refuse. */
export function inOwnWords(config: unknown): unknown {
  const { linux } = (config ?? {}) as Partial<Spec>;
  if (typeof linux !== 'object' || linux === null) return config;
  return { ...(config as Spec), linux: { ...linux, ...propagation(linux), ...devices(linux) } };
}

/** As mount(8) has it, `rslave`. What is mounted below the rootfs keeps what its own options say, so both mean the same here. */
function propagation({ rootfsPropagation }: Linux): Pick<Linux, 'rootfsPropagation'> {
  const [, word] = /^r(private|shared|slave|unbindable)$/.exec(`${rootfsPropagation}`) ?? [];
  return word === undefined ? {} : { rootfsPropagation: word as Linux['rootfsPropagation'] & string };
}

/** A device's whole st_mode, as stat(2) gives it, where the specification wants its permissions. */
function devices({ devices }: Linux): Pick<Linux, 'devices'> {
  if (!Array.isArray(devices)) return {};
  const permissions = (device: Device) =>
    Number.isInteger(device?.fileMode)
      ? { ...device, fileMode: (device.fileMode as number) & ~S_IFMT }
      : device;
  return { devices: devices.map(permissions) };
}
