import { changeSubject, printCommitMessage } from "../store/commit-message.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { journalPath, scopeFilePath } from "../store/layout.ts";
import { printScopeFile } from "../store/scope-file.ts";
import type { FileChange } from "../store/write.ts";
import { parseJournal, printJournal } from "./journal.ts";
import type { Edit, Made } from "./rotation-branch.ts";
import type { RotationView } from "./rotation-view.ts";

/** An edit with what it came to on one view. */
export interface MadeEdit extends Made {
  readonly edit: Edit;
}

/** All of `made` as one commit on top of the view that it was made on, with a person's `note` in its message. */
export async function assembleCommit(view: RotationView, made: readonly MadeEdit[], note?: string) {
  const written = new Map<string, string>();
  const removed: string[] = [];
  for (const { edit, journal, alongside = [] } of made) {
    for (const { path, bytes } of alongside) if (bytes !== undefined) written.set(path, asText(bytes));
    const path = journalPath(edit.address);
    if (journal !== undefined) {
      const text = printJournal(journal);
      // What the next run could not read must not be all that it has.
      parseJournal(Buffer.from(text), edit.address);
      written.set(path, text);
    } else if (edit.before !== undefined) removed.push(path);
  }
  const scopes = new Map<ScopePath, Map<SecretName, string>>();
  for (const { edit, records = [] } of made) {
    const own = scopes.get(edit.address.scope) ?? new Map<SecretName, string>();
    for (const [name, record] of records) own.set(name, record);
    scopes.set(edit.address.scope, own);
  }
  for (const [scope, records] of scopes) {
    const { open, sealer } = await view.scope(scope);
    for (const { path, bytes } of sealer.files) if (bytes !== undefined) written.set(path, asText(bytes));
    if (records.size === 0) continue;
    const entries = new Map(open.entries);
    for (const [name, record] of records)
      entries.set(name, { record, comments: entries.get(name)?.comments ?? [], line: 0 });
    written.set(scopeFilePath(scope), printScopeFile(scope, entries));
  }
  return { written, removed, message: printMessage(made, note) };
}

function asText(bytes: NonNullable<FileChange["bytes"]>): string {
  return typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
}

function printMessage(made: readonly MadeEdit[], note: string | undefined): string {
  const addresses = made.map(({ edit }) => edit.address);
  const scopes = new Set(addresses.map(({ scope }) => scope));
  const verbs = new Set(made.map(({ edit }) => edit.verb));
  const [verb = ""] = verbs;
  const [scope] = scopes;
  const subject =
    scope !== undefined && scopes.size === 1 && verbs.size === 1
      ? changeSubject(
          verb,
          scope,
          addresses.map(({ name }) => name),
        )
      : `secrets: ${verbs.size === 1 ? verb : "rotate"} ${addresses.length} secrets in ${scopes.size} scopes`;
  const reasons = new Set(made.map(({ edit }) => edit.reason));
  const secrets = made.flatMap(({ edit, records }) =>
    [...(records?.keys() ?? [])].map((name) => ({ scope: edit.address.scope, name })),
  );
  const [reason] = ["emergency", "rotation", "rollback"].filter((each) =>
    reasons.has(each as Edit["reason"]),
  ) as Edit["reason"][];
  return printCommitMessage({ subject, reason: reason ?? "rotation", note, secrets });
}
