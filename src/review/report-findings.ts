import type { Finding } from "../store/finding.ts";

/** What the checks say of a change: the findings of both sides, told apart. */
export interface FindingChanges {
  /** At the head, and not at the base. */
  readonly new: readonly Finding[];
  /** At the base, and no more. */
  readonly fixed: readonly Finding[];
  /** At both, as the head says it. */
  readonly remaining: readonly Finding[];
}

/**
 * Compares the findings of two trees. Lines may move and numbers may change: a finding is an old
 * one when one of the same rule, severity and file at the base had all of its words. So a list of
 * names that got shorter is no news, and one that got another name is.
 */
export function compareFindings(before: readonly Finding[], after: readonly Finding[]): FindingChanges {
  const [old, now] = [groupWords(before), groupWords(after)];
  const isKnown = (finding: Finding) => {
    const words = wordsOf(finding);
    return old.get(keyOf(finding))?.some((all) => isWithin(words, all)) === true;
  };
  const isLeft = (finding: Finding) => {
    const all = wordsOf(finding);
    return now.get(keyOf(finding))?.some((words) => isWithin(words, all)) === true;
  };
  return {
    new: after.filter((finding) => !isKnown(finding)),
    fixed: before.filter((finding) => !isLeft(finding)),
    remaining: after.filter(isKnown),
  };
}

function groupWords(findings: readonly Finding[]): Map<string, Set<string>[]> {
  const groups = new Map<string, Set<string>[]>();
  for (const finding of findings) {
    const group = groups.get(keyOf(finding));
    if (group === undefined) groups.set(keyOf(finding), [wordsOf(finding)]);
    else group.push(wordsOf(finding));
  }
  return groups;
}

function isWithin(words: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...words].every((word) => all.has(word));
}

function keyOf({ rule, severity, file }: Finding): string {
  return `${rule}\0${severity}\0${file}`;
}

function wordsOf({ message }: Finding): Set<string> {
  const words = message.split(/[\s,;()]+/);
  return new Set(words.filter((word) => !/^(?:|\d+|and|more|days?|keys?)$/.test(word)));
}
