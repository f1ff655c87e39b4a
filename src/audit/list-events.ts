import type { GitPlace } from "../git/place.ts";
import type { AuditRecord } from "./event.ts";
import { readGitEvents } from "./git-events.ts";
import { readAudit } from "./read-log.ts";

export type AuditSource = "local" | "git";

/** A record and where it is from: the log of this user, or the repository's history. */
export type SourcedRecord = AuditRecord & { readonly source: AuditSource };

export interface AuditFilter {
  readonly source: AuditSource | "all";
  readonly code?: string | undefined;
  /** A scope, and all below it. */
  readonly scope?: string | undefined;
  /** A member; also a login name, or the name or address of a commit's author. */
  readonly who?: string | undefined;
  /** Milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
}

/**
 * What is known of a repository, oldest first: the user's log joined with the history. A
 * write that is in both is listed once, as the log has it, which knows the member. Without a
 * repository it is all that the user's log has.
 */
export async function listEvents(
  place: GitPlace | undefined,
  env: GitPlace["env"],
  filter: AuditFilter,
): Promise<SourcedRecord[]> {
  const isHere = ({ repository }: AuditRecord) =>
    place === undefined || repository === undefined || repository === place.root;
  const local = filter.source === "git" ? [] : readAudit(env).filter(isHere);
  const known = new Set(local.flatMap((record) => (record.commit === undefined ? [] : [keyOf(record)])));
  const history = filter.source === "local" || place === undefined ? [] : await readGitEvents(place);
  return [
    ...local.map((record) => ({ ...record, source: "local" as const })),
    ...history.filter((record) => !known.has(keyOf(record))).map((record) => ({ ...record, source: "git" as const })),
  ]
    .filter((record) => matches(record, filter))
    .sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

function keyOf({ commit, scope, name }: AuditRecord): string {
  return [commit, scope, name].join("\n");
}

function matches(record: AuditRecord, { code, scope, who, sinceMs }: AuditFilter): boolean {
  const { member, user } = record.actor;
  const names = [member, user, ...(/^(.*) <(.*)>$/.exec(user)?.slice(1) ?? [])];
  return (
    (code === undefined || record.code === code) &&
    (scope === undefined || record.scope === scope || record.scope?.startsWith(`${scope}/`) === true) &&
    (who === undefined || names.includes(who)) &&
    (sinceMs === undefined || Date.parse(record.time) >= sinceMs)
  );
}
