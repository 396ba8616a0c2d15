/** tslab language: chooses the course's language. */
import type { Command } from 'commander';

export const command = (program: Command): void => {
  program
    .command('language [lang]')
    .description('show or choose the language of the course: en or zh')
    .action(async (lang: string | undefined) => {
      const { openSession } = await import('../../course/session.ts');
      const session = openSession(lang === undefined ? {} : { lang });
      if (lang === undefined) {
        console.log(session.words.languageIs);
        return;
      }
      session.progress.update((progress) => {
        progress.language = session.language;
      });
      console.log(session.words.languageSet);
    });
};
