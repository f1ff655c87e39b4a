import type { GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { scopeFilePath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";

import { isShallow, type CommitInfo } from "./scope-commits.ts";
import { SightingReader, type SeenValues } from "./sighting-reader.ts";
import { findValueOrigins } from "./value-origins.ts";

/** Where the present value of a secret comes from. */
export interface BlameLine {
  readonly name: SecretName;
  readonly valueId: string;
  /** When the value was set, in seconds since 1970. */
  readonly setAt: number;
  readonly isDrop: boolean;
  /** The commit that gave it; undefined for a value that is not committed. */
  readonly origin: CommitInfo | undefined;
}

export interface Blame {
  /** By name. */
  readonly lines: readonly BlameLine[];
  /** Secrets of HEAD that the work tree has removed. */
  readonly removed: readonly SecretName[];
  readonly warnings: readonly string[];
}

/**
 * Who gave each secret of a scope its value: of the work tree against the history of HEAD, or at
 * the commit `at` (a full id). Undefined when the scope has no file there. Needs no key; one walk
 * of the history for all secrets. A line that is damaged is not among them.
 */
export async function blameScope(
  place: GitPlace,
  scope: ScopePath,
  { tree, at }: { readonly tree: Tree; readonly at: string | undefined },
): Promise<Blame | undefined> {
  const bytes = await tree.read(scopeFilePath(scope));
  if (bytes === undefined) return undefined;
  const now: SeenValues = new SightingReader().read(bytes);
  const from = at ?? (await findHead(place));
  const origins = from === undefined ? new Map<SecretName, never>() : await findValueOrigins(place, scope, { from });
  const lines = [...now].map(([name, { valueId, createdAt, generation }]) => {
    const origin = origins.get(name);
    return {
      name,
      valueId,
      setAt: createdAt,
      isDrop: generation === undefined,
      origin: origin?.valueId === valueId ? origin : undefined,
    };
  });
  return {
    lines: lines.sort((a, b) => compareText(a.name, b.name)),
    removed: [...origins.keys()].filter((name) => !now.has(name)).sort(compareText),
    warnings: from !== undefined && (await isShallow(place)) ? [shallow] : [],
  };
}

const shallow = "this clone is shallow: who set older values cannot be told, and its oldest commit stands for them";
