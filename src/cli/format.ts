/** docker's `--format`, as far as scripts use it: `json`, and `{{.A.B}}` and `{{json .A}}` in text. Not the rest of Go's templates. */

/** @throws Error at what is none of these, or a field that is not there. */
export function format(template: string, value: unknown): string {
  if (template === 'json') return JSON.stringify(value);
  return template.replaceAll('\\t', '\t').replace(/\{\{(.*?)\}\}/g, (whole, inner: string) => {
    const [, json, path] = /^\s*(json\s+)?((?:\.\w+)+|\.)\s*$/.exec(inner) ?? [];
    if (path === undefined)
      throw new Error(`--format ${whole}: it takes {{.Name}}, {{.Name.Name}} or {{json .Name}}`);
    const found = path
      .split('.')
      .filter((name) => name !== '')
      .reduce((at: unknown, name) => field(at, name, whole), value);
    return json || typeof found === 'object' ? JSON.stringify(found) : String(found);
  });
}

function field(value: unknown, name: string, whole: string): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
    return (value as Record<string, unknown>)[name];
  const there = typeof value === 'object' && value !== null ? Object.keys(value).join(', ') : 'nothing';
  throw new Error(`--format ${whole}: there is no ${name}, but ${there}`);
}
