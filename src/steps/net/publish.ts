/** Published ports: a port of the host that leads into a container. Docker's notation: `[ip:]hostPort:containerPort[/udp]`. */
import type { Listener } from '../../facts/facts.ts';
import { parseIpv4 } from './addresses.ts';

export interface Published {
  protocol: 'tcp' | 'udp';
  /** undefined: all addresses of the host. */
  ip?: string;
  hostPort: number;
  containerPort: number;
}

/** @param what names the flag or field in errors. @throws Error that shows the notation. */
export function parsePublish(text: string, what: string): Published {
  const [ports = '', protocol = 'tcp', ...more] = text.split('/');
  const parts = ports.split(':');
  const [containerPort, hostPort, ip] = [parts.pop(), parts.pop(), parts.pop()];
  if (
    more.length > 0 ||
    parts.length > 0 ||
    !isPort(hostPort) ||
    !isPort(containerPort) ||
    !isProtocol(protocol)
  )
    throw new Error(`${what} ${text}: it takes [ip:]hostPort:containerPort[/udp], such as 8080:80`);
  const anywhere = ip === undefined || ip === '' || ip === '0.0.0.0';
  return {
    protocol,
    ...(anywhere ? {} : { ip: parseIpv4(ip, what) }),
    hostPort: Number(hostPort),
    containerPort: Number(containerPort),
  };
}

const isPort = (text: string | undefined) =>
  /^\d{1,5}$/.test(text ?? '') && Number(text) > 0 && Number(text) < 65536;
const isProtocol = (text: string): text is 'tcp' | 'udp' => text === 'tcp' || text === 'udp';

/** Whether a program of the host has the port already: its packets would no longer reach it. */
export function taken(one: Published, listening: readonly Listener[]): boolean {
  const any = (ip: string | undefined) => ip === undefined || ip === '0.0.0.0' || ip === '::';
  return listening.some(
    (other) =>
      other.protocol === one.protocol &&
      other.port === one.hostPort &&
      (any(one.ip) || any(other.address) || other.address === one.ip),
  );
}
