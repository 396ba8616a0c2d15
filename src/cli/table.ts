/** Columns without lines, as ps(1) prints them. */
import Table from 'cli-table3';

const parts = ['top', 'bottom', 'left', 'right', 'mid'];
const corners = parts.flatMap((side) => ['', '-mid', '-left', '-right'].map((more) => side + more));
const none = Object.fromEntries([...corners, 'middle'].map((name) => [name, '']));

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };
  const drawn = new Table({ head: [...head], chars: none, style });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
