/** The flags of commands that speak with a registry. */
import type { Command } from 'commander';

export interface RegistryFlags {
  creds?: string;
  passwordStdin?: boolean;
  plainHttp?: boolean;
  quiet?: boolean;
}

export const registryFlags = (command: Command): Command =>
  command
    .option(
      '--creds <user[:password]>',
      'who you are there (default: as podman login or docker login left it)',
    )
    .option('--password-stdin', 'the password comes on standard input')
    .option('--plain-http', 'no https: whoever is on the way can read and change what passes')
    .option('-q, --quiet', 'only the digest at the end');
