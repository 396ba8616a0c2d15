/** What a network namespace holds (network_namespaces(7)), as the host's own programs see it that go into it and into no other. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { programPath } from '../facts/programs.ts';

/** A network namespace by a file: `/proc/<pid>/ns/net`. */
export type Network = string;

export const networkOf = (pid: number): Network => `/proc/${pid}/ns/net`;

/** Keeps it, so that it can be looked into when nobody is in it any more. */
export function hold(network: Network): { network: Network } & Disposable {
  const fd = openSync(network, 'r');
  return { network: `/proc/${process.pid}/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}

/** As far as we read it: ip-address(8) with -json and -details. */
export interface Link {
  ifindex: number;
  ifname: string;
  flags: string[];
  /** The name of the bridge that it is plugged into. */
  master?: string;
  /** Of a cable, the index of the other end, in the namespace where that is. */
  link_index?: number;
  addr_info: { family: string; local: string; prefixlen: number }[];
}

export interface Route {
  dst: string;
  gateway?: string;
  dev?: string;
}

/** Whether this host has nsenter(1) and ip(8), which all of the following need. */
export const canLook = (): boolean => tools() !== undefined;

/** @throws Error once the namespace is gone, or without the programs. */
export const links = (network: Network): Link[] => ask(network, '-details', 'address', 'show') as Link[];

/** IPv4, the main table. */
export const routes = (network: Network): Route[] => ask(network, '-4', 'route', 'show') as Route[];

/** The names of the links that this kernel gives each new namespace: lo, and tunnels that some kernels have. */
export function linksAtBirth(): string[] {
  const [, ip] = needTools();
  const unshare = programPath('unshare') ?? 'unshare';
  const said = execFileSync(unshare, ['--net', '--', ip, '-json', 'link'], { encoding: 'utf8' });
  return (JSON.parse(said) as Link[]).map(({ ifname }) => ifname);
}

function ask(network: Network, ...words: string[]): unknown {
  const [nsenter, ip] = needTools();
  const said = execFileSync(nsenter, [`--net=${network}`, '--', ip, '-json', ...words], { encoding: 'utf8' });
  return said.trim() === '' ? [] : JSON.parse(said);
}

function tools(): [string, string] | undefined {
  const [nsenter, ip] = [programPath('nsenter'), programPath('ip')];
  return nsenter && ip ? [nsenter, ip] : undefined;
}

function needTools(): [string, string] {
  const found = tools();
  if (!found) throw new Error('this host has no nsenter or no ip');
  return found;
}

/** The one answers each caller with the word, the other calls. Neither is the container's: what they say is the kernel's word. */
const server = `const [address, word] = process.argv.slice(1);
  require('net').createServer((caller) => { caller.on('error', () => {}); caller.end(word); })
    .on('error', ({ code }) => console.log(code))
    .listen(0, address, function () { console.log(this.address().port); });`;
const client = `const [address, port] = process.argv.slice(1);
  const say = (text) => { console.log(text); process.exit(); };
  setTimeout(say, 3000, 'ETIMEDOUT');
  require('net').connect(Number(port), address).on('error', ({ code }) => say(code)).on('data', (word) => say(String(word.subarray(0, 100))));`;

/**
 * Sends a word by TCP: a program in `to` listens on the address there, one in `from` asks it.
 *
 * @returns the word as it arrived, or the name of the error, such as ENETUNREACH (no route) or EADDRNOTAVAIL (`to` has no such address).
 */
export async function carry(word: string, from: Network, to: Network, address: string): Promise<string> {
  const listening = inside(to, server, address, word);
  try {
    const port = await firstLine(listening);
    if (!/^\d+$/.test(port)) return port;
    return await firstLine(inside(from, client, address, port));
  } finally {
    listening.kill('SIGKILL');
  }
}

/** A new program, as Node itself never enters a namespace. */
function inside(network: Network, script: string, ...words: string[]): ChildProcess {
  const [nsenter] = needTools();
  return spawn(nsenter, [`--net=${network}`, '--', process.execPath, '-e', script, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
}

function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((done) => {
    let text = '';
    stdout?.setEncoding('utf8');
    stdout?.on('data', (more: string) => {
      text += more;
      if (text.includes('\n')) done(text.slice(0, text.indexOf('\n')));
    });
    stdout?.once('close', () => done(text || 'no answer'));
  });
}
