import type { GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import type { WriteReason } from "../store/commit-message.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { walkScope } from "./walk-scope.ts";

const emergency: WriteReason = "emergency";

/** A value that was replaced because others know it. */
export interface GivenUpValue {
  readonly name: SecretName;
  readonly valueId: string;
  /** Full id of the commit that replaced it. */
  readonly commit: string;
}

/** The values of a scope that an emergency rotation in the history of HEAD replaced. Needs no key. */
export async function listGivenUpValues(place: GitPlace, scope: ScopePath): Promise<GivenUpValue[]> {
  const from = await findHead(place);
  const found: GivenUpValue[] = [];
  if (from === undefined) return found;
  await walkScope(place, scope, { from }, ({ commit, before, after }) => {
    if (commit.reason !== emergency) return;
    for (const [name, { valueId }] of before.flatMap((snapshot) => [...snapshot]))
      if (after.get(name)?.valueId !== valueId) found.push({ name, valueId, commit: commit.commit });
  });
  return found;
}
