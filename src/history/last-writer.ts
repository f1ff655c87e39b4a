import { openObjects } from "../git/objects.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead, resolveCommit } from "../git/revision.ts";
import { git } from "../git/run.ts";
import type { Address } from "../secret/address.ts";
import { listChangedSecrets } from "../store/changed-secrets.ts";
import { scopeFilePath } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";

export interface Writer {
  readonly name: string;
  readonly email: string;
  readonly commit: string;
  /** RFC 3339. */
  readonly at: string;
}

/**
 * Who last gave a secret its value, by the newest commit reachable from `revision` (HEAD
 * without) whose version of it has another value id than the one before. Undefined when the
 * value is not committed.
 */
export async function findLastWriter(
  place: GitPlace,
  address: Address,
  revision?: string,
): Promise<Writer | undefined> {
  if (!hasGit(place)) return undefined;
  const from = revision === undefined ? await findHead(place) : await resolveCommit(place, revision);
  if (from === undefined) return undefined;
  const path = scopeFilePath(address.scope);
  const output = await git(place, ["log", "-z", "--format=%H%n%an%n%ae%n%cI", from, "--", path]);
  const objects = openObjects(place);
  try {
    for (const item of output.split("\0").filter((text) => text !== "")) {
      const [commit = "", name = "", email = "", at = ""] = item.split("\n");
      const after = await objects.readBlob(`${commit}:${path}`, maxTreeFileBytes);
      const before = await objects.readBlob(`${commit}^:${path}`, maxTreeFileBytes);
      if (listChangedSecrets(address.scope, before, after).some((changed) => changed.name === address.name)) {
        return { name, email, commit, at };
      }
    }
    return undefined;
  } finally {
    objects.close();
  }
}
