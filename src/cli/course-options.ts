/** What all commands of the course take. */
import type { Command } from 'commander';

export interface CourseOptions {
  lang?: string;
  course?: string;
  plain?: boolean;
  workspace?: string;
}

const options = {
  plain: ['--plain', 'no colours'],
  workspace: ['--workspace <dir>', 'your folder (~/tslab)'],
} as const;

/** Added behind the command's own; the course is known before anything is loaded that asks for its lessons. */
export function courseOptions(command: Command, ...more: (keyof typeof options)[]): Command {
  for (const name of more) command.option(options[name][0], options[name][1]);
  return command
    .option('--lang <lang>', 'en or zh')
    .option('--course <dir>', 'with the lessons and checks of a folder of your instructor’s (TSLAB_COURSE)')
    .hook('preAction', async (_, acting) => {
      const { course } = acting.opts<CourseOptions>();
      if (course === undefined) return;
      const { useCourse } = await import('../course/course-folder.ts');
      useCourse(course);
    });
}
