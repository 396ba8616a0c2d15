/** tslab image: the table of its own commands. */
import type { Command } from 'commander';
import { command as df } from './image/df.ts';
import { command as pull } from './image/pull.ts';
import { command as push } from './image/push.ts';

const commands = [pull, push, df];

export const command = (program: Command): void => {
  const image = program.command('image').description('images: pull, push, df');
  for (const declare of commands) declare(image);
};
