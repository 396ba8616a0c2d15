/** What the kernel shows, from outside, of a container whose root is somebody else out here. */
import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, fail, pass, skip, type Text } from '../../src/course/check.ts';
import { needs } from '../../src/course/needs.ts';
import { IDLE, obeying, order, ownNamespace, random, ready } from '../../src/course/probes.ts';
import { credentials, idInside, idMap, type MapLine } from '../../src/evidence/ids.ts';
import { mountinfo } from '../../src/evidence/mountinfo.ts';
import { status } from '../../src/evidence/process.ts';
import type { IdMapping, Spec } from '../../src/oci/spec.ts';

/** Other ones each time, and other ones for users than for groups: nobody can have written them down before. */
function someIds(): IdMapping[] {
  if (!needs.ids.met()) return [{ containerID: 0, hostID: 0, size: 1 }];
  const [root, others] = [randomInt(1000, 8000), randomInt(9000, 15_000)];
  const few = randomInt(2, 900);
  return [
    { containerID: 0, hostID: root, size: few },
    { containerID: few, hostID: others, size: randomInt(1000, 5000) },
  ];
}

/** Asks for a user namespace, and keeps what was asked. */
function wish() {
  const maps = { uid: someIds(), gid: someIds() };
  return {
    maps,
    change: (spec: Spec) => {
      const namespaces = [...(spec.linux?.namespaces ?? []).filter(({ type }) => type !== 'user')];
      const mappings = { uidMappings: maps.uid, gidMappings: maps.gid };
      spec.linux = { ...spec.linux, namespaces: [...namespaces, { type: 'user' }], ...mappings };
    },
  };
}

/** The host of an attempt is a container itself: its numbers are told, and not ours, which learners have never seen. */
const asItsHost = (pid: number, sort: 'uid' | 'gid', id: number) =>
  idInside(idMap(status(pid).parent, sort), id) ?? -1;

const lines = (map: readonly { inside: number; outside: number; count: number }[]) =>
  map.map(({ inside, outside, count }) => `${inside} ${outside} ${count}`).join('\n') || 'an empty map';

const noIds: Text = {
  en: 'there are no ids besides your own (/etc/subuid), so outside and inside can’t differ',
  zh: '除了你自己的 id 没有别的（/etc/subuid），里外无法不同',
};

export const checks: Check[] = [
  ownNamespace(
    'user',
    {
      title: { en: 'It has a user namespace of its own', zh: '它有自己的用户命名空间' },
      why: {
        en: 'Without one, 0 inside is 0 outside: root of the host, held back by whatever else there is.',
        zh: '没有它，里面的 0 就是外面的 0：宿主机的 root，只靠别的东西拦着。',
      },
    },
    (spec) => wish().change(spec),
  ),
  ...(['uid', 'gid'] as const).map(
    (sort): Check => ({
      id: `${sort}-map`,
      title: {
        en: `Its ${sort === 'uid' ? 'users' : 'groups'} are those that the config says`,
        zh: `它的${sort === 'uid' ? '用户' : '组'}与配置所说的一致`,
      },
      why: {
        en: 'The map is all that connects an id inside with one outside, and it can be written once.',
        zh: '里面的 id 与外面的 id 只靠这张表联系起来，而它只能写一次。',
      },
      look: {
        en: `cat /proc/<pid>/${sort}_map; user_namespaces(7)`,
        zh: `cat /proc/<pid>/${sort}_map；user_namespaces(7)`,
      },
      async run(lab) {
        const { maps, change } = wish();
        const container = await ready(lab, IDLE, change);
        if ('outcome' in container) return container;
        const shown: MapLine[] = idMap(container.pid, sort).map((line) => ({
          ...line,
          outside: asItsHost(container.pid, sort, line.outside),
        }));
        const wanted = maps[sort].map(({ containerID: inside, hostID: outside, size: count }) => ({
          inside,
          outside,
          count,
        }));
        if (lines(shown) === lines(wanted)) return pass();
        return fail(
          { en: `${sort}_map: ${lines(wanted)}`, zh: `${sort}_map：${lines(wanted)}` },
          lines(shown),
        );
      },
    }),
  ),
  {
    id: 'root',
    title: {
      en: 'It is root inside, with all capabilities, and somebody else outside',
      zh: '它在里面是 root，权能齐全；在外面是另一个人',
    },
    why: {
      en: 'A process that is no one of the map is nobody inside, and loses its capabilities at execve.',
      zh: '不在表里的进程，在里面谁也不是，execve 时权能也会丢光。',
    },
    look: {
      en: 'grep -E "Uid|Gid|CapEff" /proc/<pid>/status, beside its uid_map; capabilities(7)',
      zh: 'grep -E "Uid|Gid|CapEff" /proc/<pid>/status，与它的 uid_map 对照；capabilities(7)',
    },
    async run(lab) {
      const { maps, change } = wish();
      const container = await ready(lab, IDLE, change);
      if ('outcome' in container) return container;
      const { uid, gid, capabilities } = credentials(container.pid);
      const outside = [asItsHost(container.pid, 'uid', uid), asItsHost(container.pid, 'gid', gid)];
      const wanted = [maps.uid[0]?.hostID, maps.gid[0]?.hostID];
      const inside = [idInside(idMap(container.pid, 'uid'), uid), idInside(idMap(container.pid, 'gid'), gid)];
      if (`${inside}` === '0,0' && `${outside}` === `${wanted}` && capabilities !== 0n) return pass();
      return fail(
        {
          en: `uid and gid 0 inside, ${wanted.join(' and ')} outside; CapEff is not 0`,
          zh: `里面 uid 和 gid 都是 0，外面是 ${wanted.join(' 和 ')}；CapEff 不为 0`,
        },
        `inside ${inside.map((id) => id ?? 'nobody').join(' and ')}, outside ${outside.join(' and ')}; ` +
          `CapEff ${capabilities.toString(16)}`,
      );
    },
  },
  {
    id: 'owner',
    title: {
      en: 'A file of root’s inside is not root’s outside',
      zh: '里面 root 的文件，在外面不是 root 的',
    },
    why: {
      en: 'Files outlive the container. On disk stands the number outside, and there a set-user-ID root would be root.',
      zh: '文件比容器活得久。磁盘上记的是外面的号码；要是记成 root，setuid 程序就真的是 root。',
    },
    look: {
      en: 'stat -c %u:%g /proc/<pid>/root/tmp/<file>',
      zh: 'stat -c %u:%g /proc/<pid>/root/tmp/<文件>',
    },
    async run(lab) {
      if (!needs.ids.met()) return skip(noIds);
      const { maps, change } = wish();
      const container = await obeying(lab, change);
      if ('outcome' in container) return container;
      const name = random();
      const said = await order(container, `echo mine >/tmp/${name}`);
      const file = statSync(join(`/proc/${container.pid}/root/tmp`, name), { throwIfNoEntry: false });
      const wanted = `${maps.uid[0]?.hostID}:${maps.gid[0]?.hostID}`;
      const shown =
        file && `${asItsHost(container.pid, 'uid', file.uid)}:${asItsHost(container.pid, 'gid', file.gid)}`;
      if (shown === wanted) return pass();
      return fail(
        { en: `a file /tmp/${name} of ${wanted}`, zh: `文件 /tmp/${name}，属于 ${wanted}` },
        shown ?? (said || 'no such file'),
      );
    },
  },
  {
    id: 'stranger',
    title: { en: 'What is the host’s root’s, it can’t change', zh: '宿主机 root 的东西，它改不了' },
    why: {
      en: 'Root inside overrides permissions only for files whose owner is in the map.',
      zh: '里面的 root 只能越过“主人在表里”的文件的权限。',
    },
    look: {
      en: 'user_namespaces(7), "Operation of file-related capabilities"',
      zh: 'user_namespaces(7) 的 “Operation of file-related capabilities”',
    },
    async run(lab) {
      if (!needs.ids.met()) return skip(noIds);
      const [told, answer] = [random(), random()];
      const folder = lab.folder();
      lab.write(join(folder, 'told'), `${told}\n`);
      const container = await obeying(lab, (spec) => {
        wish().change(spec);
        const options = ['rbind', 'rw'];
        spec.mounts?.push({ destination: '/mnt', type: 'bind', source: folder, options });
      });
      if ('outcome' in container) return container;
      const said = await order(container, `cat /mnt/told; echo x >/mnt/told; echo x >/mnt/${answer}`);
      const now = lab.read(join(folder, 'told'))?.trim();
      const made = lab.read(join(folder, answer)) !== undefined;
      // That it could read it shows that the volume was there.
      if (said.includes(told) && now === told && !made) return pass();
      return fail(
        {
          en: `${told} is read inside, stays what it is, and no file is made beside it`,
          zh: `里面读到 ${told}，它保持不变，旁边也没有新文件`,
        },
        `${said}on the host: ${now}${made ? `, and a new file ${answer}` : ''}`,
      );
    },
  },
  {
    id: 'rules',
    title: { en: 'Its other namespaces belong to it', zh: '其余的命名空间归它所有' },
    why: {
      en: 'A capability counts for what the user namespace owns. So it has to be there before the others are made.',
      zh: '权能只对这个用户命名空间拥有的东西有效，所以它要先于其他命名空间存在。',
    },
    look: {
      en: 'user_namespaces(7), "Interaction of user namespaces and other types of namespaces"',
      zh: 'user_namespaces(7) 的 “Interaction of user namespaces and other types of namespaces”',
    },
    async run(lab) {
      const container = await obeying(lab, (spec) => wish().change(spec));
      if ('outcome' in container) return container;
      const name = random();
      const said = await order(container, `mount -t tmpfs ${name} /mnt`);
      if (mountinfo(container.pid).some(({ source }) => source === name)) return pass();
      return fail({ en: `a mount ${name} inside`, zh: `里面有挂载 ${name}` }, said || 'no such mount');
    },
  },
];
