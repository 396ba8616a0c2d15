/** Id maps as the kernel reads them (user_namespaces(7), "User and group ID mappings"). */
import type { IdMapping } from '../oci/spec.ts';

/** The whole map has to arrive in one write(2). */
export function mapText(maps: readonly IdMapping[]): string {
  return maps.map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join('');
}
