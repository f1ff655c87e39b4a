import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { isComment } from "../store/scope-file.ts";
import type { ImportRequest } from "../values/import-values.ts";
import { type NameRule, nameSecrets } from "./secret-names.ts";
import type { SourceType } from "./source-tree.ts";
import { printSourcePath, type SourceContents, type SourceSystem, type SourceValue } from "./source-values.ts";

/** What the user decides about a move. */
export interface MigrationRequest {
  readonly system: SourceSystem;
  readonly scope: ScopePath;
  readonly names: NameRule;
  /** Keeps comments that the source seals or has in a private file. They stand in the open here. */
  readonly keepsPrivateComments: boolean;
  readonly mode: ImportRequest["mode"];
}

/** A value in the report: nothing of it but names and its type. */
export interface MigratedValue {
  readonly name: SecretName;
  /** Its path in the source, with dots. */
  readonly source: string;
  readonly type: SourceType;
  readonly renamed: boolean;
  /** True when the source has it in the open. */
  readonly open: boolean;
  /** How many comment lines come along. */
  readonly comments: number;
  readonly note: string | undefined;
}

/** What a move brings, and what it does not. */
export interface MigrationReport {
  readonly system: SourceSystem;
  readonly scope: ScopePath;
  readonly values: readonly MigratedValue[];
  readonly leftOut: readonly { readonly source: string; readonly reason: string }[];
}

/** A move that is decided on: what is written, and what is said of it. */
export interface Migration {
  readonly request: ImportRequest;
  readonly report: MigrationReport;
}

/**
 * Names every value of a source, or refuses all of it. A comment comes along when it can stand in the
 * open. Throws E_NAME_INVALID and E_NAME_CLASH.
 */
export function planMigration(contents: SourceContents, request: MigrationRequest): Migration {
  const { system, scope, mode } = request;
  const names = nameSecrets(
    contents.values.map(({ path }) => path),
    request.names,
  );
  const entries = new Map<SecretName, Secret>();
  const comments = new Map<SecretName, readonly string[]>();
  const values: MigratedValue[] = [];
  const leftOut = contents.leftOut.map(({ path, reason }) => ({ source: printSourcePath(path), reason }));
  for (const [index, value] of contents.values.entries()) {
    const mapped = names[index];
    if (mapped === undefined) continue;
    const { name, isRenamed } = mapped;
    const kept = keptComments(value, request.keepsPrivateComments);
    const source = printSourcePath(value.path);
    const lost = value.comments.length - kept.length;
    if (lost > 0) leftOut.push({ source, reason: describeLost(lost, value, request) });
    entries.set(name, value.secret);
    if (kept.length > 0) comments.set(name, kept);
    values.push({
      name,
      source,
      type: value.type,
      renamed: isRenamed,
      open: value.isOpen,
      comments: kept.length,
      note: value.note,
    });
  }
  return { request: { scope, entries, comments, mode }, report: { system, scope, values, leftOut } };
}

function keptComments({ comments }: SourceValue, keepsPrivate: boolean): string[] {
  return comments
    .filter(({ text, isPrivate }) => isComment(text) && (keepsPrivate || !isPrivate))
    .map(({ text }) => text);
}

function describeLost(lost: number, { comments }: SourceValue, { keepsPrivateComments }: MigrationRequest): string {
  const what = lost === 1 ? "a comment" : `${lost} comments`;
  const isPrivate = !keepsPrivateComments && comments.some((comment) => comment.isPrivate);
  return isPrivate
    ? `${what} that would stand in the open here (--comments keeps them)`
    : `${what} with a control character`;
}
