/** What the kernel shows, from outside, of a container that has names of its own. */
import { type Check, fail, type Lab, type Outcome, pass, skip } from '../../src/course/check.ts';
import { IDLE, ownNamespace, random, ready, refusal } from '../../src/course/probes.ts';
import { type Names, names } from '../../src/evidence/names.ts';
import { status } from '../../src/evidence/process.ts';
import type { Spec } from '../../src/oci/spec.ts';

const NO_NSENTER = skip({
  en: 'this host has no nsenter (package util-linux), which reads a name from outside',
  zh: '宿主机没有 nsenter（软件包 util-linux），无法从外面读出名字',
});

const show = ({ hostname, domainname }: Names) => `hostname ${hostname}, domainname ${domainname}`;
const withoutNamespace = (spec: Spec) => {
  const namespaces = spec.linux?.namespaces?.filter(({ type }) => type !== 'uts') ?? [];
  spec.linux = { ...spec.linux, namespaces };
};

/** A config that asks for that name, and what the name then is, inside. */
const named = (field: keyof Names) => async (lab: Lab) => {
  const wanted = random();
  const container = await ready(lab, IDLE, (spec) => {
    spec[field] = wanted;
  });
  if ('outcome' in container) return container;
  const found = names(container.pid);
  if (!found) return NO_NSENTER;
  if (found[field] === wanted) return pass();
  return fail({ en: `${field} ${wanted}`, zh: `${field} ${wanted}` }, show(found));
};

export const checks: Check[] = [
  ownNamespace('uts', {
    title: { en: 'It has a UTS namespace of its own', zh: '它有自己的 UTS 命名空间' },
    why: {
      en: 'Without one there is one name for all, and root inside can change it.',
      zh: '没有它，所有进程共用一个名字，而且里面的 root 就能改。',
    },
  }),
  {
    id: 'hostname',
    title: { en: 'Its host name is the one in the config', zh: '它的主机名就是配置里的那个' },
    why: {
      en: 'Programs sign logs with it, and clusters know their nodes by it.',
      zh: '程序用它在日志里署名，集群凭它认节点。',
    },
    look: {
      en: 'nsenter --target <pid> --uts uname -n; sethostname(2)',
      zh: 'nsenter --target <pid> --uts uname -n；sethostname(2)',
    },
    run: named('hostname'),
  },
  {
    id: 'domainname',
    title: { en: 'Its NIS domain name is the one in the config', zh: '它的 NIS 域名就是配置里的那个' },
    why: {
      en: 'The same namespace keeps both names; a config may ask for either.',
      zh: '两个名字归同一个命名空间管，配置可以要求其中任何一个。',
    },
    look: {
      en: 'nsenter --target <pid> --uts cat /proc/sys/kernel/domainname; setdomainname(2)',
      zh: 'nsenter --target <pid> --uts cat /proc/sys/kernel/domainname；setdomainname(2)',
    },
    run: named('domainname'),
  },
  {
    id: 'host',
    title: { en: 'The host is called what it was called', zh: '宿主机的名字没有变' },
    why: {
      en: 'A name set by the wrong hand, or too early, is the name of the machine.',
      zh: '设名字的手不对，或者设得太早，改的就是整台机器的名字。',
    },
    look: { en: 'uname -n on the host, before and after', zh: '前后各在宿主机上执行一次 uname -n' },
    async run(lab) {
      const before = names('self');
      const container = await ready(lab, IDLE, (spec) => {
        spec.hostname = random();
        spec.domainname = random();
      });
      if ('outcome' in container) return container;
      const after = names(status(container.pid).parent);
      if (!before || !after) return NO_NSENTER;
      if (show(before) === show(after)) return pass();
      return fail({ en: show(before), zh: show(before) }, show(after));
    },
  },
  {
    id: 'refuses',
    title: {
      en: 'A name without a namespace to keep it is refused',
      zh: '只要名字、不要命名空间的配置会被拒绝',
    },
    why: {
      en: 'To set it would rename the host; to say nothing would leave the user with another name than the one asked for.',
      zh: '照做就会给宿主机改名；不吭声，用户得到的又不是他要的名字。',
    },
    look: {
      en: 'namespace(spec, …) and PlanError; "Break" in this lesson',
      zh: 'namespace(spec, …) 和 PlanError；本课的“突破”',
    },
    async run(lab) {
      return (await refuses(lab, 'hostname')) ?? (await refuses(lab, 'domainname')) ?? pass();
    },
  },
];

/** Undefined if it does. A TypeError is no refusal: it is a mistake that came at the right moment. */
async function refuses(lab: Lab, field: keyof Names): Promise<Outcome | undefined> {
  const wanted = random();
  const said = await refusal(lab, (spec) => {
    withoutNamespace(spec);
    delete spec.hostname;
    spec[field] = wanted;
  });
  if (typeof said === 'string' && /^(PlanError|Error): /.test(said) && said.includes(field)) return undefined;
  const found = typeof said === 'string' ? undefined : names(status(said.pid).parent);
  return fail(
    {
      en: `no container, but a PlanError whose text says ${field}`,
      zh: `没有容器，只有一个 PlanError，文字里提到 ${field}`,
    },
    typeof said === 'string' ? said : `a container; on the host: ${found ? show(found) : '?'}`,
  );
}
