import type { SecretName } from "../secret/address.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { ValueChange } from "./change-scope.ts";
import type { EditBuffer } from "./edit-buffer.ts";
import type { Entries } from "./entries.ts";

/** A scope as it was when it was opened for editing. */
export interface EditBase {
  readonly entries: ScopeEntries;
  readonly values: Entries;
}

/**
 * What an edited buffer changes, by name: only what differs from `base`. A record that is gone
 * is unset, one whose comments alone differ gets new comments and keeps its bytes.
 */
export function findEdits(base: EditBase, edited: EditBuffer): Map<SecretName, ValueChange> {
  const changes = new Map<SecretName, ValueChange>();
  for (const name of base.values.keys()) if (!edited.entries.has(name)) changes.set(name, { action: "unset" });
  for (const [name, secret] of edited.entries) {
    const comments = edited.comments.get(name) ?? [];
    if (base.values.get(name)?.equals(secret) !== true) changes.set(name, { action: "set", secret, comments });
    else if (!sameLines(comments, base.entries.get(name)?.comments ?? []))
      changes.set(name, { action: "comment", comments });
  }
  return changes;
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
