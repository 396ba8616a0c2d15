/**
 * The tests that CI may skip. `test`: a part of "file > suite > name". `reason`: the very words of the skip. `why`: what CI's
 * machine lacks, so that a reader can tell when an entry can go.
 */
export interface ExpectedSkip {
  test: string;
  reason: string;
  why: string;
}

export const expectedSkips: ExpectedSkip[] = [];
