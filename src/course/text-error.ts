/** Where something stands in a lesson's text. */
export interface Place {
  file: string;
  line: number;
}

/** A mistake in a lesson's text, with the file and line to open. */
export class TextError extends Error {
  override readonly name = 'TextError';
  constructor({ file, line }: Place, message: string) {
    super(`${file}:${line}: ${message}`);
  }
}
