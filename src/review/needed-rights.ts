import { isAdmin, isAllowed } from "../access/permission.ts";
import type { Member, Policy } from "../access/policy.ts";
import type { Action } from "../access/policy-schema.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import type { TreeItem } from "../git/tree-object.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { parseSecretsPath, scopeFilePath } from "../store/layout.ts";
import type { ScopeEntries, ScopeEntry } from "../store/scope-file.ts";
import type { JudgedChange } from "./judged-trees.ts";
import type { ScopeContents } from "./scope-contents.ts";

/** A right that the writer of a commit must have. */
export interface Need {
  /** What is done, such as `sets prod/api/KEY`. */
  readonly what: string;
  /** One of these is enough. None is: nobody may do it. */
  readonly anyOf: readonly (Action | "admin")[];
  /** Where the actions count; undefined when none does. */
  readonly scope: ScopePath | undefined;
}

/** True when the roles of `member` give it. */
export function isMet(policy: Policy, member: Member, { anyOf, scope }: Need): boolean {
  return anyOf.some((right) =>
    right === "admin" ? isAdmin(policy, member) : scope !== undefined && isAllowed(policy, member, right, scope),
  );
}

/** The rights that the change of one file takes. */
export async function listNeeds(contents: ScopeContents, change: JudgedChange): Promise<Need[]> {
  const { path, before, after } = change;
  const shown = Buffer.from(path, "latin1").toString("utf8");
  if (after !== undefined && !isRegular(after)) {
    return [{ what: `puts what is no regular file at ${shown}`, anyOf: [], scope: undefined }];
  }
  const parsed = parseSecretsPath(path);
  switch (parsed?.kind) {
    case "scope":
      return listScopeNeeds(
        parsed.scope,
        await contents.read(parsed.scope, before),
        await contents.read(parsed.scope, after),
        change,
      );
    case "generation":
      return [
        before === undefined
          ? { what: `adds a generation to ${parsed.scope}`, anyOf: ["write", "rotate", "admin"], scope: parsed.scope }
          : { what: `changes a generation of ${parsed.scope}`, anyOf: ["write", "admin"], scope: parsed.scope },
      ];
    case "journal":
      return [
        {
          what: `changes the rotation of ${parsed.scope}/${parsed.name}`,
          anyOf: ["rotate", "write"],
          scope: parsed.scope,
        },
      ];
    case undefined:
      return [{ what: `changes ${shown}`, anyOf: ["admin"], scope: undefined }];
  }
}

/** The rights that a change of one secret takes; none when record and comments are as they were. */
export function listRecordNeeds(
  scope: ScopePath,
  name: SecretName,
  before: ScopeEntry | undefined,
  after: ScopeEntry | undefined,
): Need[] {
  const address = `${scope}/${name}`;
  const need = (what: string, ...anyOf: Need["anyOf"]): Need[] => [{ what: `${what} ${address}`, anyOf, scope }];
  if (after === undefined) return before === undefined ? [] : need("removes", "delete");
  if (before === undefined) return need("sets", "write");
  if (before.record !== after.record) {
    if (sameValue(before.record, after.record)) return need("seals again", "write", "admin");
    return isNewer(after.record, before.record)
      ? need("sets", "write", "rotate")
      : need("brings back an older", "write");
  }
  return commentsOf(before) === commentsOf(after) ? [] : need("changes the comment of", "write");
}

/** The comment lines of a secret as one text; empty for none. */
export function commentsOf(entry: ScopeEntry | undefined): string {
  return (entry?.comments ?? []).join("\n");
}

/** What is said of several needs: the first few. */
export function sayNeeds(needs: readonly Need[]): string {
  const all = [...new Set(needs.map(({ what }) => what))];
  const shown = all.slice(0, 3);
  return all.length > shown.length ? `${shown.join(", ")} and ${all.length - shown.length} more` : shown.join(", ");
}

/** True for a file that is no link, no submodule and no folder. */
export function isRegular({ mode }: TreeItem): boolean {
  return mode.startsWith("100");
}

function listScopeNeeds(
  scope: ScopePath,
  before: ScopeEntries | undefined,
  after: ScopeEntries | undefined,
  change: JudgedChange,
): Need[] {
  const file = scopeFilePath(scope);
  if (before === undefined || after === undefined) {
    const what = `rewrites ${file}, which is malformed`;
    return [
      { what, anyOf: ["write"], scope },
      { what, anyOf: ["delete"], scope },
    ];
  }
  const names = new Set([...before.keys(), ...after.keys()]);
  const needs = [...names].flatMap((name) => listRecordNeeds(scope, name, before.get(name), after.get(name)));
  if (needs.length > 0) return needs;
  if (change.after === undefined) return [{ what: `removes ${file}`, anyOf: ["delete"], scope }];
  return [{ what: `${change.before === undefined ? "makes" : "rewrites"} ${file}`, anyOf: ["write"], scope }];
}

/** True when a value was set no earlier than another; a record that is brought back was. */
function isNewer(now: string, before: string): boolean {
  try {
    return readSealedHeader(now).createdAt >= readSealedHeader(before).createdAt;
  } catch (error) {
    if (isSealtreeError(error)) return false;
    throw error;
  }
}
