/** 1536 is 1.5KiB, as docker writes it. */
export function bytes(count: number | undefined): string {
  if (count === undefined) return '-';
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), 4);
  return power === 0 ? `${count}B` : `${(count / 1024 ** power).toFixed(1)}${'KMGT'[power - 1]}iB`;
}
