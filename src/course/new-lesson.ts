/** `tslab dev new`: a lesson's files, small but whole: `tslab dev check` finds nothing wrong with them. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { asLearner, learner } from './learner.ts';
import { furnish } from './workspace.ts';

/**
 * Returns what to say.
 *
 * @throws Error if the folder's name is none of a lesson's, or something is there already.
 */
export function newLesson(path: string): string {
  const folder = resolve(path);
  const [, number, id] = /^(\d+)-([a-z][a-z0-9-]*)$/.exec(basename(folder)) ?? [];
  if (number === undefined || id === undefined)
    throw new Error(`${path}: a lesson's folder is called by its number and its name, such as 16-swap`);
  const course = dirname(folder);
  return asLearner(learner(), () => {
    if (existsSync(folder)) throw new Error(`${path}: it is there already`);
    mkdirSync(folder, { recursive: true });
    furnish(course);
    for (const [name, text] of Object.entries(files(Number(number), id)))
      writeFileSync(join(folder, name), text);
    return `Written: ${folder}\nIt is a whole lesson: tslab dev check ${id} --course ${course}\nChange it piece by piece, and check again.`;
  });
}

function files(number: number, id: string): Record<string, string> {
  return {
    'lesson.md': english(number, id),
    'lesson.zh.md': chinese(number, id),
    'stage.ts': stage(
      id,
      `  return [{ at: 'child', phase: 'limits', kind: 'umask', mask: 0o077, field: 'process.umask' }];`,
    ),
    'exercise.ts': stage(
      id,
      '  // TODO: One step of kind `umask`: files that the program makes are for its user alone.\n  return [];',
    ),
    'checks.ts': checks,
  };
}

const stage = (id: string, heart: string) => `import type { Draft, Facts, Spec } from 'tslab';

export default function ${camel(id)}(_spec: Spec, _facts: Facts): Draft[] {
${heart}
}
`;

const camel = (id: string) => id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const checks = `import { type Check, fail, obeying, order, pass, random } from 'tslab/checks';

export const checks: Check[] = [
  {
    id: 'private-files',
    title: { en: 'A new file is for its owner alone', zh: '新文件只有属主能访问' },
    why: {
      en: 'Who shares a volume with others should not share all that is in it.',
      zh: '与别人共用一个卷，不等于把里面的一切都给别人看。',
    },
    look: { en: 'umask(2)', zh: 'umask(2)' },
    async run(lab) {
      const container = await obeying(lab);
      if ('outcome' in container) return container;
      const name = random();
      const shown = (await order(container, \`touch /tmp/\${name}; stat -c %a /tmp/\${name}\`)).trim();
      if (shown === '600') return pass();
      return fail({ en: 'permissions 600', zh: '权限 600' }, shown);
    },
  },
];
`;

const english = (number: number, id: string) => `# ${id}: a lesson of your own

## Predict

\`\`\`question
A program makes a file. Who may read it?
- (x) That depends on its umask.
- ( ) Its owner alone.
> umask(2): the bits in the mask are taken away from the permissions that the program asks for.
\`\`\`

## See

\`\`\`scene first
# Inside, with this lesson's stage.
@container$ touch /tmp/file; stat -c %a /tmp/file
=> ^600$
# On the host, without it.
@host$ umask 022; touch $SCRATCH/file; stat -c %a $SCRATCH/file
=> ^644$
\`\`\`

## Why

The mask belongs to the process, and execve(2) keeps it.

## Break

A mask is a default: chmod(2) gives back what it took.

\`\`\`scene break
@container$ chmod 666 /tmp/file; stat -c %a /tmp/file
=> ^666$
\`\`\`

## Build

\`tslab exercise ${number} --course DIR\` puts \`${id}.ts\` into your workspace. One step is missing.

\`\`\`hint 1
Which system call sets the mask? See "Why".
\`\`\`

\`\`\`hint 2
The step has the name of the call, and a \`mask\`.
\`\`\`

\`\`\`hint 3
The bits of the mask are those that others must not have: six of the nine.
\`\`\`

## Check

A file is made in a container with your stage, and its permissions are read.

## So far

\`\`\`sofar
\`\`\`
`;

const chinese = (number: number, id: string) => `# ${id}：你自己的一课

## 预测

\`\`\`question
程序创建了一个文件。谁能读它？
- (x) 取决于它的 umask。
- ( ) 只有属主。
> umask(2)：掩码里的位会从程序要求的权限中去掉。
\`\`\`

## 观察

\`\`\`scene first
# 在容器里，带着这一课的阶段。
@container$ touch /tmp/file; stat -c %a /tmp/file
=> ^600$
# 在宿主机上，没有它。
@host$ umask 022; touch $SCRATCH/file; stat -c %a $SCRATCH/file
=> ^644$
\`\`\`

## 原理

掩码属于进程，execve(2) 会保留它。

## 突破

掩码只是默认值：chmod(2) 能把去掉的权限加回来。

\`\`\`scene break
@container$ chmod 666 /tmp/file; stat -c %a /tmp/file
=> ^666$
\`\`\`

## 动手

\`tslab exercise ${number} --course DIR\` 会把 \`${id}.ts\` 放进你的工作目录。里面缺一个步骤。

\`\`\`hint 1
哪个系统调用设置掩码？见“原理”。
\`\`\`

\`\`\`hint 2
步骤的名字就是调用的名字，另有一个 \`mask\`。
\`\`\`

\`\`\`hint 3
掩码里的位，是别人不该有的权限：九位中的六位。
\`\`\`

## 检查

在带着你的阶段的容器里创建一个文件，读取它的权限。

## 小结

\`\`\`sofar
\`\`\`
`;
