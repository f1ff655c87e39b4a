import type { Removal } from "../../access/policy.ts";
import type { Finding } from "../../store/finding.ts";
import { accessPolicyPath } from "../../store/layout.ts";
import type { ReviewState } from "../state.ts";
import type { Rule } from "../rule.ts";
import { sayBase } from "../say-base.ts";

export const removedMember: Rule = {
  name: "removed-member",
  describe:
    "The lists of removed names and keys only grow: no entry of the base is gone or changed, but for readmitted, and who left the members is on the list.",
  checkTree(state) {
    const { base, basePolicy: before, policy: now } = state;
    if (base === undefined || before === undefined || now === undefined) return [];
    return [
      ...compare(state, "removed", before.removed, now.removed),
      ...compare(state, "removed_keys", before.removedKeys, now.removedKeys),
      ...[...before.members.keys()]
        .filter((name) => !now.members.has(name) && !now.removed.has(name))
        .map((name) => {
          const message = `${name} was a member in ${sayBase(base)}, and is not on the list of removed ones`;
          return report(state, ["removed"], message, `sealtree member remove ${name} does both`, "warning");
        }),
    ];
  },
};

function compare(
  state: ReviewState,
  field: "removed" | "removed_keys",
  before: ReadonlyMap<string, Removal>,
  now: ReadonlyMap<string, Removal>,
): Finding[] {
  const since = state.base === undefined ? "" : sayBase(state.base);
  return [...before].flatMap(([name, entry]) => {
    const found = now.get(name);
    const hint = `put it back as it was: git show ${state.base?.tree.commit.slice(0, 12) ?? ""}:${accessPolicyPath}`;
    if (found === undefined) {
      const message = `${name} was under ${field} in ${since}, and is gone from there`;
      return [report(state, [field], message, hint, "error")];
    }
    if (mayFollow(entry, found)) return [];
    return [report(state, [field, name], `${name} is under ${field} otherwise than in ${since}`, hint, "error")];
  });
}

/** An entry stays, is let in again, or, once that was done, is replaced by a later removal. */
export function mayFollow(before: Removal, now: Removal): boolean {
  const isSame = before.version === now.version && before.at === now.at && memberOf(before) === memberOf(now);
  if (isSame) return before.readmitted === undefined || before.readmitted === now.readmitted;
  return before.readmitted !== undefined && now.version > before.readmitted;
}

function memberOf(removal: Removal): string | undefined {
  return "member" in removal && typeof removal.member === "string" ? removal.member : undefined;
}

function report(
  { accessDocument }: ReviewState,
  place: readonly string[],
  message: string,
  hint: string,
  severity: Finding["severity"],
): Finding {
  const line = accessDocument?.lineOf(place) ?? 1;
  return { rule: "removed-member", severity, message, file: accessPolicyPath, line, hint };
}
