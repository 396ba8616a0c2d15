/** Controllers whose files are alike in both versions. */
import type { Resources } from '../../oci/spec.ts';
import { kernelSince, refuse, type Write, whole } from './write.ts';

/**
 * Reservations are limited where the kernel can (Linux 5.7): then a program is told at mmap(2), not killed when it
 * touches the page (config-linux.md, "Huge page limits").
 */
export function hugepages(resources: Resources, kernel: string, file: 'limit_in_bytes' | 'max'): Write[] {
  const reserved = kernelSince(kernel, 5, 7) ? 'rsvd.' : '';
  return (resources.hugepageLimits ?? []).map(({ pageSize, limit }, i) => {
    const field = `hugepageLimits[${i}]`;
    if (!/^\d+[KMG]B$/.test(pageSize))
      refuse(field, `pageSize is ${JSON.stringify(pageSize)}; it takes a size such as 2MB`);
    return {
      file: `hugetlb.${pageSize}.${reserved}${file}`,
      data: whole(limit, field),
      field: `linux.resources.${field}`,
    };
  });
}

export function rdma(resources: Resources): Write[] {
  return Object.entries(resources.rdma ?? {}).map(([device, { hcaHandles, hcaObjects }]) => {
    const field = `rdma[${JSON.stringify(device)}]`;
    if (!/^[\w.-]+$/.test(device)) refuse(field, 'this is no RDMA device’s name');
    const limits = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${whole(hcaHandles, field)}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${whole(hcaObjects, field)}`]),
    ];
    if (limits.length === 0) refuse(field, 'it takes hcaHandles, hcaObjects or both');
    return { file: 'rdma.max', data: [device, ...limits].join(' '), field: `linux.resources.${field}` };
  });
}
