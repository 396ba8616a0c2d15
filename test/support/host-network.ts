/** A network that plays the host's, so that no test touches the machine's own: with a link to an "outside" beyond it. */
import { type ChildProcess, execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.ts';

export const HOST = '192.0.2.1';
export const OUTSIDE = '192.0.2.2';

const rules = `add table ip t
add chain ip t c { type nat hook postrouting priority srcnat; }
add rule ip t c fib daddr type local masquerade
`;
/** Whether a network of its own takes such rules as a bridge needs: kernels can be built without. */
export const translatesAddresses =
  spawnSync('unshare', ['--net', 'nft', '-f', '-'], { input: rules }).status === 0;
export const NO_TRANSLATION = 'this kernel translates no addresses';

export class HostNetwork {
  readonly #host = holder();
  readonly #outside = holder();
  readonly #running: ChildProcess[] = [];

  constructor() {
    this.sh(
      // A new namespace's switch is as the machine's is.
      `echo 0 >/proc/sys/net/ipv4/ip_forward; ip link set lo up; ip link add up0 type veth peer name eth0 netns ${this.#outside.pid};
       ip address add ${HOST}/24 dev up0; ip link set up0 up; ip route add default via ${OUTSIDE}`,
    );
    this.outside(`ip link set lo up; ip address add ${OUTSIDE}/24 dev eth0; ip link set eth0 up`);
  }

  /** The words before a command that runs it in this network. */
  get enter(): string[] {
    return ['nsenter', `--net=/proc/${this.#host.pid}/ns/net`, '--'];
  }

  sh(script: string): string {
    return execFileSync('nsenter', [...this.enter.slice(1), 'sh', '-ec', script], { encoding: 'utf8' });
  }

  outside(script: string): string {
    const enter = [`--net=/proc/${this.#outside.pid}/ns/net`, '--'];
    return execFileSync('nsenter', [...enter, 'sh', '-ec', script], { encoding: 'utf8' });
  }

  tslab(...args: string[]): SpawnSyncReturns<string> {
    return spawnSync('nsenter', [...this.enter.slice(1), join(packageRoot, 'bin/tslab'), ...args], {
      encoding: 'utf8',
      timeout: 25_000,
    });
  }

  /** Starts a container and waits until it says `ready`. */
  async start(...args: string[]): Promise<ChildProcess> {
    const child = spawn(
      'nsenter',
      [...this.enter.slice(1), join(packageRoot, 'bin/tslab'), 'run', '--init', ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#running.push(child);
    let said = '';
    await new Promise<void>((done, fail) => {
      child.stderr?.on('data', (text) => {
        said += text;
      });
      child.stdout?.once('data', () => done());
      child.once('close', () => fail(new Error(`tslab run ended: ${said}`)));
    });
    return child;
  }

  /** Whatever containers change: links, rules, forwarding. */
  state(): string {
    return this.sh('ip -br link | cut -d" " -f1 | sort; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward');
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#running.splice(0).map(stop));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll();
    await Promise.all([stop(this.#host), stop(this.#outside)]);
  }
}

export function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}

/** A process that keeps a network namespace alive; back when it is in it. */
function holder(): ChildProcess {
  const child = spawn('unshare', ['--net', 'sleep', '1000'], { stdio: 'ignore' });
  const own = readlinkSync('/proc/self/ns/net');
  while (readlinkSync(`/proc/${child.pid}/ns/net`) === own) spawnSync('sleep', ['0.005']);
  return child;
}
