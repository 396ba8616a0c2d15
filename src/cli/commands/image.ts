/** tslab image: the table of its own commands. */
import type { Command } from 'commander';
import { command as commit } from './image/commit.ts';
import { command as df } from './image/df.ts';
import { command as diff } from './image/diff.ts';
import { command as history } from './image/history.ts';
import { command as imports } from './image/import.ts';
import { command as inspect } from './image/inspect.ts';
import { command as load } from './image/load.ts';
import { command as ls } from './image/ls.ts';
import { command as prune } from './image/prune.ts';
import { command as pull } from './image/pull.ts';
import { command as push } from './image/push.ts';
import { command as rm } from './image/rm.ts';
import { command as save } from './image/save.ts';
import { command as tag } from './image/tag.ts';

const commands = [pull, push, ls, inspect, history, tag, rm, imports, save, load, commit, diff, df, prune];

export const command = (program: Command): void => {
  const image = program.command('image').description('images: pull, push, list, import, commit, and so on');
  for (const declare of commands) declare(image);
};
