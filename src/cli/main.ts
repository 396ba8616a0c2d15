/** The tslab command. This file alone prints errors and sets the exit code for them. */
import { Command } from 'commander';

/** Adds one command, with all that the help says of it. What does its work is loaded when it is asked to. */
export type Declare = (program: Command) => void;

/**
 * @param commands by name. The one that the arguments begin with is declared; without such a name all are, for the help.
 * @param otherwise without any command.
 */
export async function main(
  commands: Readonly<Record<string, Declare>>,
  otherwise?: () => Promise<void>,
): Promise<void> {
  const program = new Command('tslab')
    .description('learn how containers work by building a real one')
    .version('0.1.0')
    .enablePositionalOptions()
    .showHelpAfterError('(tslab --help lists the commands)');
  const name = process.argv[2] ?? '';
  // Without an action of its own, commander knows what to say of a command that there is not, and has one called help.
  if (otherwise && (name === '' || name.startsWith('-'))) program.action(otherwise);
  const named = Object.hasOwn(commands, name) ? commands[name] : undefined;
  for (const declare of named ? [named] : Object.values(commands)) declare(program);

  try {
    await program.parseAsync();
  } catch (error) {
    console.error(`tslab: ${error instanceof Error ? error.message : error}`);
    process.exitCode = (error as { exitCode?: number }).exitCode ?? 1;
  }
}
