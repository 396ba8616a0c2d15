/** Which of an index's images is for this machine. Go's names of architectures stand in images, Node's in process.arch. */
import type { Descriptor, Index, Platform } from './types.ts';

const goNames: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export const ownPlatform: Platform = { os: 'linux', architecture: goNames[process.arch] ?? process.arch };

/** @throws Error that lists the platforms there are. */
export function choose(index: Index, wanted: Platform = ownPlatform): Descriptor {
  const fits = ({ platform }: Descriptor) =>
    platform?.os === wanted.os &&
    platform.architecture === wanted.architecture &&
    (wanted.variant === undefined || platform.variant === wanted.variant);
  const found = index.manifests.find(fits) ?? onlyOne(index);
  if (found) return found;
  const there = index.manifests.map(({ platform }) => (platform ? nameOf(platform) : 'unnamed'));
  throw new Error(`the image is not for ${nameOf(wanted)}, but for ${there.join(', ') || 'nothing'}`);
}

/** An index need not say what a manifest is for. */
const onlyOne = ({ manifests }: Index): Descriptor | undefined =>
  manifests.length === 1 && manifests[0]?.platform === undefined ? manifests[0] : undefined;

const nameOf = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/** @param text `linux/arm64`, `linux/arm/v7`, or `arm64` alone. @throws Error for anything else. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  const [os = '', architecture = '', variant] = parts.length === 1 ? ['linux', ...parts] : parts;
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part)))
    throw new Error(
      `platform ${JSON.stringify(text)}: it takes OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/arm64`,
    );
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
