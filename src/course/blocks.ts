/** The fenced blocks of a lesson: scene, question, hint, source. `place` is the line of the opening fence. */
import type { Hint, Question, Scene, SceneCommand, Source } from './lesson.ts';
import { type NeedName, needs } from './needs.ts';
import { type Place, TextError } from './text-error.ts';

const prompt = /^@(host|container)\$ (.*)$/;
const claim = /^=([>!?]) ?(.*)$/;

const sceneLine = new RegExp(
  `^([\\w-]+)(\\s+fresh)?((?:\\s+(?:${Object.keys(needs).join('|')}))*)(?:\\s+run="([^"]*)")?$`,
);

/** `NAME [fresh] [NEED…] [run="FLAGS"]`, the needs by their names in needs.ts; then narration, commands and claims. */
export function parseScene(info: string, text: string, place: Place): Scene {
  const [, name, fresh, need, run] = sceneLine.exec(info) ?? [];
  if (!name)
    throw new TextError(
      place,
      `scene ${info}: it has to be: scene NAME [fresh] [${Object.keys(needs).join('] [')}] [run="FLAGS"]`,
    );
  const scene: Scene = {
    ...place,
    type: 'scene',
    name,
    fresh: fresh !== undefined,
    needs: (need?.match(/\w+/g) ?? []) as NeedName[],
    ...(run === undefined ? {} : { run }),
    lines: [],
  };
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const here = { file: place.file, line: place.line + 1 + i };
    let line = lines[i] ?? '';
    const [, at, begun] = prompt.exec(line) ?? [];
    if (at && begun !== undefined) {
      let command = begun;
      while (line.endsWith('\\')) {
        line = lines[++i] ?? '';
        command += `\n${line}`;
      }
      scene.lines.push({ ...here, type: 'command', at: at as 'host', command, status: 0, claims: [] });
    } else addLine(scene, line, here);
  }
  if (!scene.lines.some((line) => line.type === 'command'))
    throw new TextError(place, `scene ${name}: no command in it`);
  return scene;
}

function addLine(scene: Scene, line: string, place: Place): void {
  if (line.trim() === '') return;
  if (line.startsWith('#')) {
    scene.lines.push({ type: 'say', text: line.replace(/^#+ ?/, '') });
    return;
  }
  const [, kind, value] = claim.exec(line) ?? [];
  if (!kind || value === undefined)
    throw new TextError(
      place,
      `"${line}": a scene's line begins with "# ", "@host$ ", "@container$ ", "=> ", "=! " or "=? "`,
    );
  const command = scene.lines.at(-1);
  if (command?.type !== 'command') throw new TextError(place, `"${line}": a claim follows its command`);
  if (kind === '?') command.status = parseStatus(value, place);
  else command.claims.push({ ...place, matches: kind === '>', pattern: parsePattern(value, place) });
}

function parseStatus(value: string, place: Place): SceneCommand['status'] {
  if (value.trim() === '*') return undefined;
  if (!/^\d{1,3}$/.test(value.trim()))
    throw new TextError(place, `"${value}": an exit status is 0 to 255, or *`);
  return Number(value);
}

function parsePattern(value: string, place: Place): RegExp {
  if (value === '') throw new TextError(place, 'the claim is empty: it would hold for any output');
  try {
    return new RegExp(value, 'm');
  } catch (error) {
    throw new TextError(place, (error as Error).message);
  }
}

/** Text, then `- ( )` and one `- (x)`, then `> ` explanation. */
export function parseQuestion(text: string, place: Place): Question {
  const question: Question = { type: 'question', text: '', options: [], explanation: '' };
  const join = (old: string, more: string) => (old ? `${old}\n${more}` : more);
  for (const line of text.split('\n')) {
    const [, mark, option] = /^- \(([ x])\) (.+)$/.exec(line) ?? [];
    const last = question.options.at(-1);
    if (option) question.options.push({ text: option, right: mark === 'x' });
    else if (/^>( |$)/.test(line)) question.explanation = join(question.explanation, line.slice(2));
    else if (last && /^ +\S/.test(line)) last.text += ` ${line.trim()}`;
    else if (!last) question.text = join(question.text, line);
    else if (line.trim()) throw new TextError(place, `question: "${line}" is no option and no explanation`);
  }
  const right = question.options.filter((option) => option.right).length;
  if (!question.text.trim()) throw new TextError(place, 'question: the question is missing');
  if (question.options.length < 2)
    throw new TextError(place, 'question: it needs two options or more: "- ( ) text"');
  if (right !== 1) throw new TextError(place, `question: ${right} options are right; mark one with "- (x)"`);
  if (!question.explanation.trim())
    throw new TextError(place, 'question: the explanation is missing: lines with "> "');
  return question;
}

export function parseHint(info: string, text: string, place: Place): Hint {
  if (!/^[1-9]$/.test(info)) throw new TextError(place, `hint ${info}: name its level: hint 1`);
  if (!text.trim()) throw new TextError(place, `hint ${info}: it is empty`);
  return { type: 'hint', level: Number(info), text };
}

/** `FILE#REGION`: the lines between `// #region REGION` and `// #endregion`, without their common indentation. */
export function parseSource(info: string, place: Place, read: (name: string) => string): Source {
  const [, file, region] = /^([\w.-]+)#([\w-]+)$/.exec(info) ?? [];
  if (!file || !region) throw new TextError(place, `source ${info}: it has to be: source stage.ts#NAME`);
  const lines = contents(file, place, read).split('\n');
  const begin = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  if (begin < 0) throw new TextError(place, `source ${info}: ${file} has no line "// #region ${region}"`);
  const length = lines.slice(begin + 1).findIndex((line) => line.trim().startsWith('// #endregion'));
  if (length < 0) throw new TextError(place, `source ${info}: no "// #endregion" follows`);
  const quoted = lines
    .slice(begin + 1, begin + 1 + length)
    .filter((line) => !line.trim().startsWith('// #region'));
  const indents = quoted.filter((line) => line.trim()).map((line) => line.search(/\S/));
  const common = Math.min(...indents);
  return { type: 'source', name: info, code: quoted.map((line) => line.slice(common)).join('\n') };
}

function contents(file: string, place: Place, read: (name: string) => string): string {
  try {
    return read(file);
  } catch (error) {
    throw new TextError(place, `source: ${(error as Error).message}`);
  }
}
