/** Breaks lines at a width, for text with colours and for Chinese, which breaks anywhere but before closing marks. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what an escape sequence begins with
const sequence = /\x1b\[[0-9;]*m|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)/y;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const none = /^(?:\p{M}|\u200b|\u200c|\u200d)$/u;
/** Must not begin a line (JIS X 4051 and GB/T 15834 say so, in more detail). */
const closing = /[，。、；：？！）】》」』”’…—％]/;
/** Must not end a line. */
const opening = /[（【《「『“‘]/;

/** How many columns of a terminal it takes. */
export function columns(text: string): number {
  return pieces(text).reduce((sum, piece) => sum + piece.width, 0);
}

/** `indent` goes before each line after the first; the width counts it. */
export function wrap(text: string, width: number, indent = ''): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, width, indent))
    .join('\n');
}

interface Piece {
  text: string;
  width: number;
}

function wrapLine(line: string, width: number, indent: string): string {
  const lines: string[] = [];
  let current: Piece[] = [];
  for (const piece of pieces(line)) {
    current.push(piece);
    const prefix = lines.length === 0 ? 0 : columns(indent);
    while (prefix + sum(trimEnd(current)) > width) {
      const at = breakBefore(current);
      lines.push(join(trimEnd(current.slice(0, at))));
      current = current.slice(at);
      while (current[0]?.text === ' ') current.shift();
      if (at === 0) break;
    }
  }
  lines.push(join(current));
  return lines.join(`\n${indent}`);
}

/** The last place where the line may break; in the middle of a long word when there is none. */
function breakBefore(line: Piece[]): number {
  for (let i = line.length - 1; i > 0; i--) {
    const [before, after] = [visible(line, i - 1, -1), line[i]];
    if (!before || !after || after.width === 0) continue;
    if (after.text === ' ') return i;
    if (before.text === ' ') return line.lastIndexOf(before, i) + 1;
    const chinese = before.width === 2 || after.width === 2;
    if (chinese && !closing.test(after.text) && !opening.test(before.text)) return i;
  }
  return Math.max(1, line.length - 1);
}

function visible(line: Piece[], from: number, step: number): Piece | undefined {
  let i = from;
  while (line[i]?.width === 0) i += step;
  return line[i];
}

function pieces(text: string): Piece[] {
  const result: Piece[] = [];
  for (let at = 0; at < text.length; ) {
    sequence.lastIndex = at;
    const colour = sequence.exec(text)?.[0];
    const char = colour ?? String.fromCodePoint(text.codePointAt(at) ?? 0);
    const width = colour || none.test(char) ? 0 : wide.test(char) ? 2 : 1;
    result.push({ text: char, width });
    at += char.length;
  }
  return result;
}

const sum = (line: Piece[]): number => line.reduce((total, piece) => total + piece.width, 0);
const join = (line: Piece[]): string => line.map((piece) => piece.text).join('');

function trimEnd(line: Piece[]): Piece[] {
  let end = line.length;
  while (end > 0 && (line[end - 1]?.text === ' ' || line[end - 1]?.width === 0)) end--;
  // Spaces go; colours that end there stay.
  return [...line.slice(0, end), ...line.slice(end).filter((piece) => piece.text !== ' ')];
}
