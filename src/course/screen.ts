/** What the course prints: Markdown, commands, verdicts, at the terminal's width, with colours or without. */
import { stripVTControlCharacters, styleText } from 'node:util';
import { Marked } from 'marked';
import { markedTerminal } from 'marked-terminal';
import { columns, wrap } from './wrap.ts';

type Style = Parameters<typeof styleText>[0];

export interface Screen {
  /** Columns to use: the terminal's, 80 when there is none, at most 100: longer lines are hard to read. */
  readonly width: number;
  print(text?: string): void;
  style(style: Style, text: string): string;
  markdown(text: string): void;
  heading(text: string, right?: string): void;
  code(text: string): void;
  /** A prompt with a command, and below it what it showed. */
  command(at: 'host' | 'container', label: string, command: string): void;
  output(at: 'host' | 'container', text: string): void;
  /** A line that begins with a mark and goes on below its text. */
  item(mark: 'pass' | 'fail' | 'skip' | 'error' | 'none', text: string): void;
}

/** Inside and outside have to be told apart at a glance, also on a projector, also without colours (by their labels). */
const colours = { host: 'yellow', container: 'cyan' } as const;
const marks = {
  pass: ['✔', 'green'],
  fail: ['✘', 'red'],
  skip: ['–', 'yellow'],
  error: ['!', 'magenta'],
  none: [' ', 'reset'],
} as const;
const LABEL = 10;

export function screen(options: { plain?: boolean } = {}, out: NodeJS.WriteStream = process.stdout): Screen {
  const width = Math.max(40, Math.min(100, out.columns || 80));
  const coloured = !options.plain && !process.env.NO_COLOR && out.isTTY && process.env.TERM !== 'dumb';
  const style = (how: Style, text: string) =>
    coloured ? styleText(how, text, { validateStream: false }) : text;
  let blank = true;
  // One empty line says as much as two.
  const print = (text = '') => {
    for (const line of text.split('\n')) {
      if (line !== '' || !blank) out.write(`${coloured ? line : stripVTControlCharacters(line)}\n`);
      blank = line === '';
    }
  };
  const parser = markdownParser(style);
  const gutter = (at: 'host' | 'container', mark: string) =>
    style(colours[at], `${' '.repeat(LABEL)}${mark} `);

  return {
    width,
    print,
    style,
    markdown: (text) => print(fitLines(String(parser.parse(text, { async: false })).trimEnd(), width)),
    heading(text, right = '') {
      const rule = '─'.repeat(Math.max(3, width - columns(text) - columns(right) - 5));
      print();
      print(`${style('dim', '──')} ${style('bold', text)} ${style('dim', `${rule} ${right}`.trimEnd())}`);
      print();
    },
    code(text) {
      for (const line of text.split('\n'))
        print(`    ${style('dim', '│')} ${fitLine(line, width - 6, `    ${style('dim', '│')}   `)}`);
    },
    command(at, label, command) {
      const [first = '', ...rest] = command.split('\n');
      const head = style([colours[at], 'bold'], `${label.padEnd(LABEL - columns(label) + label.length)}$ `);
      print(head + style('bold', wrap(first, width - LABEL - 2, ' '.repeat(LABEL + 4))));
      for (const line of rest) print(`${' '.repeat(LABEL)}  ${style('bold', line)}`);
    },
    output(at, text) {
      if (text === '') return;
      for (const line of printable(text).split('\n'))
        print(gutter(at, '│') + fitLine(line, width - LABEL - 2, gutter(at, '│')));
    },
    item(mark, text) {
      const [sign, colour] = marks[mark];
      const lines = text.split('\n').map((line) => wrap(line, width - 2, '  '));
      print(`${style(colour, sign)} ${lines.join('\n  ')}`);
    },
  };
}

/** Breaks a long line anywhere: what a program printed is shown to the last character. */
function fitLine(line: string, width: number, prefix: string): string {
  return wrap(line.replaceAll('\t', '    '), width).split('\n').join(`\n${prefix}`);
}

/** Escape sequences of a program in a scene must not move our cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '·');
}

/** Wraps each line below its own indentation and list mark. */
function fitLines(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => {
      if (/[│┌└├]/.test(line)) return line;
      const lead = /^ *(?:(?:[*•-]|\d+\.) )?/.exec(stripVTControlCharacters(line))?.[0] ?? '';
      return wrap(line, width, ' '.repeat(lead.length));
    })
    .join('\n');
}

/** A line break in a paragraph's source is a space; between Chinese characters it is nothing. */
function reflow(text: string): string {
  return text
    .replace(/(?<=[\u3000-\u9fff\uff00-\uff60])\n(?=[\u3000-\u9fff\uff00-\uff60])/g, '')
    .replace(/\n/g, ' ');
}

function markdownParser(style: Screen['style']): Marked {
  const parser = new Marked();
  const options = {
    tab: 2,
    showSectionPrefix: false,
    codespan: (text: string) => style('cyan', text),
    strong: (text: string) => style('bold', text),
    em: (text: string) => style('italic', text),
    heading: (text: string) => style('bold', text),
    firstHeading: (text: string) => style(['bold', 'underline'], text),
    blockquote: (text: string) => style('dim', text),
    link: (text: string) => style('underline', text),
    href: (text: string) => style('underline', text),
  };
  // It leaves the marks inside a list's text alone, so they are parsed here.
  parser.use(markedTerminal(options));
  parser.use({
    renderer: {
      text(token) {
        if ('tokens' in token && token.tokens) return this.parser.parseInline(token.tokens);
        token.text = reflow(token.text);
        return false;
      },
    },
  });
  return parser;
}
