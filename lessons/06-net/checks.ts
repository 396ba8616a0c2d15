/** What the kernel shows, from outside, of a container that has a network of its own, and of the host's end of its cable. */
import { BEYOND } from '../../src/course/box-bridge.ts';
import {
  type Check,
  fail,
  type Lab,
  type Outcome,
  pass,
  type Running,
  skip,
} from '../../src/course/check.ts';
import { eventually, IDLE, ownNamespace, random, randomInt, ready } from '../../src/course/probes.ts';
import {
  canLook,
  carry,
  hold,
  type Link,
  links,
  linksAtBirth,
  networkOf,
  routes,
} from '../../src/evidence/net.ts';
import { namespace, status } from '../../src/evidence/process.ts';
import { StartError } from '../../src/launch/start-error.ts';
import { BRIDGE } from '../../src/steps/net/bridge.ts';
import { ADDRESS_ANNOTATION, NETWORK_ANNOTATION } from '../../src/steps/net/spec.ts';

const noTools = skip({
  en: 'this host has no ip (package iproute2) or nsenter (package util-linux), which look from outside',
  zh: '宿主机没有 ip（软件包 iproute2）或 nsenter（软件包 util-linux），无法从外面看',
});

/** A container on the bridge, the networks of both sides, and what the config gave it. */
interface Plugged {
  container: Running;
  inside: string;
  outside: string;
  address: string;
  gateway: string;
}

async function plugged(lab: Lab): Promise<Plugged | Outcome> {
  if (!canLook()) return noTools;
  const net = `10.${randomInt(100, 250)}`;
  const address = `${net}.${randomInt(1, 255)}.${randomInt(2, 255)}`;
  const container = await ready(lab, IDLE, (spec) => {
    spec.annotations = {
      ...spec.annotations,
      [NETWORK_ANNOTATION]: 'bridge',
      [ADDRESS_ANNOTATION]: address,
    };
  }).catch(withoutBridges);
  if ('outcome' in container) return container;
  const { parent } = status(container.pid);
  const gateway = `${net}.0.1`;
  return { container, inside: networkOf(container.pid), outside: networkOf(parent), address, gateway };
}

/** What stands for the host makes its bridge before the learner's first step. */
function withoutBridges(error: Error): Outcome {
  if (!(error instanceof StartError) || error.step.from.lesson !== 'box') throw error;
  return skip({
    en: `this kernel makes no bridge: ${error.message}`,
    zh: `这个内核建不了网桥：${error.message}`,
  });
}

const describe = (link: Link | undefined) =>
  link
    ? `${link.ifname} ${link.flags.includes('UP') ? 'up' : 'down'}${link.master ? ` on ${link.master}` : ''} ${
        link.addr_info
          .filter(({ family }) => family === 'inet')
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
          .join(' ') || 'no address'
      }`
    : 'no such link';
const all = (found: Link[]) => found.map(describe).join('; ') || 'no link at all';
const isUp = (link: Link | undefined) => link?.flags.includes('UP') === true;
const named = (found: Link[], name: string) => found.find(({ ifname }) => ifname === name);

export const checks: Check[] = [
  ownNamespace('net', {
    title: { en: 'It has a network namespace of its own', zh: '它有自己的网络命名空间' },
    why: {
      en: 'Otherwise each port that it opens is one of the host’s, and so is all traffic that it can listen to.',
      zh: '否则它打开的每个端口都是宿主机的端口，它能监听的也是宿主机的全部流量。',
    },
  }),
  {
    id: 'lo',
    title: { en: 'Its lo is up, and it can talk to itself', zh: '它的 lo 是启用的，能和自己通信' },
    why: {
      en: 'Even 127.0.0.1 needs a link that is up: countless programs talk to themselves that way.',
      zh: '连 127.0.0.1 也需要一个启用的接口，无数程序都这样和自己通信。',
    },
    look: {
      en: 'nsenter --target <pid> --net ip link show lo',
      zh: 'nsenter --target <pid> --net ip link show lo',
    },
    async run(lab) {
      if (!canLook()) return noTools;
      const container = await ready(lab, IDLE);
      if ('outcome' in container) return container;
      const inside = networkOf(container.pid);
      if (namespace(container.pid, 'net') === namespace(status(container.pid).parent, 'net'))
        return fail({ en: 'an lo of its own', zh: '它自己的 lo' }, 'the lo of the host');
      const [word, lo] = [random(), named(links(inside), 'lo')];
      const said = isUp(lo) ? await carry(word, inside, inside, '127.0.0.1') : 'not tried';
      if (isUp(lo) && said === word) return pass();
      return fail(
        { en: 'lo up, with 127.0.0.1', zh: 'lo 已启用，有 127.0.0.1' },
        `${describe(lo)}; a connection to 127.0.0.1: ${said}`,
      );
    },
  },
  {
    id: 'cable',
    title: {
      en: 'A cable leads from its eth0 to the host’s bridge',
      zh: '一根网线从它的 eth0 通到宿主机的网桥',
    },
    why: {
      en: 'A cable with a loose end carries nothing, and nobody says so: a bridge knows its ports only.',
      zh: '有一头没插的网线什么也传不了，而且不会有谁报错：网桥只认识插在自己上面的端口。',
    },
    look: {
      en: 'ip link show master BRIDGE on the host; the number after @if is the other end’s',
      zh: '在宿主机上 ip link show master 网桥名；@if 后面的数字是另一头的编号',
    },
    async run(lab) {
      const found = await plugged(lab);
      if ('outcome' in found) return found;
      const [inside, outside] = [links(found.inside), links(found.outside)];
      const eth0 = named(inside, 'eth0');
      const end = outside.find(
        ({ ifindex, link_index }) => ifindex === eth0?.link_index && link_index === eth0.ifindex,
      );
      if (isUp(eth0) && isUp(end) && end?.master === BRIDGE) return pass();
      return fail(
        {
          en: `eth0 up inside; its other end up on the host’s side, and plugged into ${BRIDGE}`,
          zh: `里面的 eth0 已启用；它的另一头在宿主机这边，已启用，并插在 ${BRIDGE} 上`,
        },
        `inside: ${all(inside)}\nthe other end of eth0, on the host’s side: ${describe(end)}`,
      );
    },
  },
  {
    id: 'address',
    title: { en: 'The host reaches it at its address', zh: '宿主机能通过地址找到它' },
    why: {
      en: 'An address without its network’s length, or on the host’s side, brings no route along and no answer.',
      zh: '没有写对网络长度的地址，或者配到宿主机那边的地址，不会带来路由，也就没有回应。',
    },
    look: {
      en: 'nsenter --target <pid> --net ip address; on the host, ip route get ADDRESS',
      zh: 'nsenter --target <pid> --net ip address；在宿主机上 ip route get 地址',
    },
    async run(lab) {
      const found = await plugged(lab);
      if ('outcome' in found) return found;
      const { inside, outside, address } = found;
      const [word, eth0] = [random(), named(links(inside), 'eth0')];
      const has = eth0?.addr_info.some(({ local, prefixlen }) => local === address && prefixlen === 16);
      const said = await carry(word, outside, inside, address);
      if (has && said === word) return pass();
      return fail(
        {
          en: `eth0 with ${address}/16, and a connection from the host to it`,
          zh: `eth0 有 ${address}/16，宿主机能连上它`,
        },
        `inside: ${all(links(inside))}\nthe connection: ${said}`,
      );
    },
  },
  {
    id: 'route',
    title: { en: 'It finds the way to everywhere else', zh: '它知道去其他任何地方怎么走' },
    why: {
      en: 'An address brings a route to the neighbours only. All else goes to the gateway, and that has to be said.',
      zh: '地址只带来通往邻居的路由，其余的都要交给网关，而这得明说。',
    },
    look: {
      en: 'nsenter --target <pid> --net ip route',
      zh: 'nsenter --target <pid> --net ip route',
    },
    async run(lab) {
      const found = await plugged(lab);
      if ('outcome' in found) return found;
      const { inside, outside, gateway } = found;
      const [word, table] = [random(), routes(inside)];
      const way = table.find(({ dst }) => dst === 'default');
      const said = await carry(word, inside, outside, BEYOND);
      if (way?.gateway === gateway && said === word) return pass();
      const shown = table.map(
        ({ dst, gateway, dev }) => `${dst}${gateway ? ` via ${gateway}` : ''} dev ${dev}`,
      );
      return fail(
        {
          en: `default via ${gateway}, and a connection from inside to ${BEYOND}, an address of the host’s in another network`,
          zh: `default via ${gateway}，并且从里面能连上 ${BEYOND}（宿主机在另一个网络里的地址）`,
        },
        `${shown.join('; ') || 'no route'}\nthe connection: ${said}`,
      );
    },
  },
  {
    id: 'gone',
    title: {
      en: 'With the container, its cable goes, and the host has the links that it had',
      zh: '容器一结束，它的网线也随之消失，宿主机的接口和原来一样',
    },
    why: {
      en: 'A host on which each container leaves a link is full of them in a week.',
      zh: '每个容器都留下一个接口的话，宿主机一个星期就满了。',
    },
    look: { en: 'ip link on the host; veth(4)', zh: '在宿主机上 ip link；veth(4)' },
    async run(lab) {
      const found = await plugged(lab);
      if ('outcome' in found) return found;
      using host = hold(found.outside);
      const during = links(host.network).length;
      found.container.signal('SIGKILL');
      await found.container.exit;
      const before = [...linksAtBirth(), BRIDGE];
      const extra = () => links(host.network).filter(({ ifname }) => !before.includes(ifname));
      await eventually(() => extra().length === 0);
      const added = during - before.length;
      if (extra().length === 0 && added === 1) return pass();
      return fail(
        {
          en: 'one link more while the container runs, and none more afterwards',
          zh: '容器运行时多一个接口，结束之后一个也不多',
        },
        `${added} more while it ran; afterwards: ${extra().map(describe).join('; ') || 'none'}`,
      );
    },
  },
];
