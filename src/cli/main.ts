/** The tslab command: reads the arguments and hands over to a command's own file. */
import { Command } from 'commander';

await new Command('tslab')
  .description('learn how containers work by building a real one')
  .version('0.1.0')
  .parseAsync();
