import { checkAllowed, findMember } from "../access/permission.ts";
import { loadPolicy, type Policy } from "../access/policy.ts";
import type { Action } from "../access/policy-schema.ts";
import type { Session } from "../access/session.ts";
import type { CommitText } from "../store/commit-message.ts";
import { changeSubject } from "../store/commit-message.ts";
import type { Tree } from "../store/tree.ts";
import { writeFiles, type WriteOptions, type WriteOutcome } from "../store/write.ts";
import { planScopeChange, type ChangeSummary, type PlannedScope, type ScopeChange } from "./change-scope.ts";
import { sealingOf } from "./seal-value.ts";

export interface ValueWriteOptions extends WriteOptions {
  /** Verb of the commit subject, such as `set`. */
  readonly verb: string;
  /** The whole commit subject, where verb and names do not say it. */
  readonly subject?: string;
  readonly reason: CommitText["reason"];
  readonly note?: string | undefined;
  /** What the member must be allowed to do, besides `delete` for names that are unset. */
  readonly action?: Extract<Action, "write" | "rotate">;
}

/**
 * The one way values change: under the write lock, `decide` reads the work tree and says what
 * is to become of which secrets; permission is checked; all scopes are written in one commit.
 * A member who may write and not read seals drops, and needs no key of the scope.
 * Throws E_PERMISSION_DENIED, E_NO_ACCESS and the rest of planning; then nothing was written.
 */
export async function writeValues(
  session: Session,
  options: ValueWriteOptions,
  decide: (tree: Tree, policy: Policy) => Promise<readonly ScopeChange[]>,
): Promise<WriteOutcome<readonly ChangeSummary[]>> {
  return await writeFiles(session.place, options, async (tree) => {
    const policy = await loadPolicy(tree);
    const member = await findMember(policy, await session.identities());
    const planned: PlannedScope[] = [];
    for (const change of await decide(tree, policy)) {
      const kinds = new Set([...change.changes.values()].map(({ action }) => action));
      if (kinds.has("set") || kinds.has("comment"))
        checkAllowed(policy, member, options.action ?? "write", change.scope);
      if (kinds.has("unset")) checkAllowed(policy, member, "delete", change.scope);
      planned.push(await planScopeChange(session, policy, tree, change, sealingOf(policy, member, change.scope)));
    }
    const summaries = planned.map(({ summary }) => summary);
    return {
      changes: planned.flatMap(({ files }) => files),
      touched: planned.flatMap(({ touched }) => touched),
      text: {
        subject: options.subject ?? subjectOf(options.verb, summaries),
        reason: options.reason,
        note: options.note,
      },
      result: summaries,
    };
  });
}

function subjectOf(verb: string, summaries: readonly ChangeSummary[]): string {
  const written = summaries.flatMap(({ added, changed, removed }) => [...added, ...changed, ...removed]);
  // Nothing new to write: what is committed then was left by a command that was cut off.
  const names = written.length > 0 ? written : summaries.flatMap(({ unchanged }) => unchanged);
  const [first, ...others] = summaries;
  if (first === undefined) return `secrets: ${verb}`;
  if (others.length === 0) return changeSubject(verb, first.scope, names);
  return `secrets: ${verb} ${names.length} secrets in ${summaries.length} scopes`;
}
