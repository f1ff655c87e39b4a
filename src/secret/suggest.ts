import { distance } from "fastest-levenshtein";

/** A `did you mean` line for the nearest of `known`, or nothing when none is near. */
export function suggest(word: string, known: readonly string[]): string[] {
  const near = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(2, Math.floor(candidate.length / 4)))
    .sort((a, b) => a.edits - b.edits)[0];
  return near === undefined ? [] : [`did you mean ${near.candidate}?`];
}
