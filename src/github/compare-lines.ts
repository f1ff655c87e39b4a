/** Lines of a text that are not as in another, one-based, both included; empty where lines are only missing. */
export interface DifferentLines {
  readonly first: number;
  readonly last: number;
}

/** Where `text` differs from `wanted`: from the first line that does to the last. Undefined when nowhere. */
export function findDifferentLines(text: string, wanted: string): DifferentLines | undefined {
  if (text === wanted) return undefined;
  const [is, should] = [text.split("\n"), wanted.split("\n")];
  const shorter = Math.min(is.length, should.length);
  let before = 0;
  while (before < shorter && is[before] === should[before]) before += 1;
  let after = 0;
  while (after < shorter - before && is.at(-1 - after) === should.at(-1 - after)) after += 1;
  return { first: before + 1, last: is.length - after };
}
