/** Questions to the learner, by inquirer. Ctrl-C, Ctrl-D or q at any of them is Quit. */

/** The learner wants to stop; status is the exit status that this means. */
export class Quit extends Error {
  readonly status: number;
  constructor(status: number) {
    super('quit');
    this.status = status;
  }
}

export interface Ask {
  /** Returns the letter that was typed before Enter, if it is one of `keys`; else ''. */
  key(message: string, keys: string): Promise<string>;
  /** Which option was chosen, by index. */
  choose(message: string, options: string[]): Promise<number>;
  menu<T>(message: string, choices: { name: string; value: T }[], preset?: T): Promise<T>;
}

export async function terminalAsk(): Promise<Ask> {
  const { default: inquirer } = await import('inquirer');
  const quiet = inquirer.createPromptModule({ clearPromptOnDone: true });
  const select = async <T>(
    message: string,
    choices: { name: string; value: T }[],
    preset?: T,
  ): Promise<T> => {
    const prompt = {
      type: 'select' as const,
      name: 'answer' as const,
      message,
      choices,
      loop: false,
      pageSize: 18,
    };
    const { answer } = await orQuit(
      inquirer.prompt([preset === undefined ? prompt : { ...prompt, default: preset }]),
    );
    return answer as T;
  };
  return {
    async key(message, keys) {
      const { answer } = await orQuit(
        quiet([{ type: 'input', name: 'answer', message, theme: { prefix: '·' } }]),
      );
      const letter = String(answer).trim().toLowerCase();
      if (letter === 'q') throw new Quit(0);
      return letter !== '' && keys.includes(letter) ? letter : '';
    },
    choose: (message, options) =>
      select(
        message,
        options.map((name, value) => ({ name, value })),
      ),
    menu: select,
  };
}

async function orQuit<T>(prompt: Promise<T>): Promise<T> {
  try {
    return await prompt;
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') throw new Quit(130);
    throw error;
  }
}
