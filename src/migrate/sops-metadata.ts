import { findItem, type SourceBranch, type SourceNode, sourceError, textOf } from "./source-tree.ts";

/** What of a SOPS file's metadata is needed to open it. */
export interface SopsMetadata {
  /** Armored age files, each of which holds the data key. */
  readonly sealedKeys: readonly string[];
  /** Kinds of key that are not age and of which the file has some. */
  readonly otherKeys: readonly string[];
  readonly mac: string;
  readonly lastModified: string;
  readonly macOnlyEncrypted: boolean;
  readonly selection: SopsSelection;
  readonly version: string;
}

/** Which values SOPS seals: at most one of these is set, or none. */
export type SopsSelection =
  | { readonly by: "unencrypted_suffix" | "encrypted_suffix"; readonly text: string }
  | {
      readonly by: "unencrypted_regex" | "encrypted_regex" | "unencrypted_comment_regex" | "encrypted_comment_regex";
      readonly text: string;
    };

const selections = [
  "unencrypted_suffix",
  "encrypted_suffix",
  "unencrypted_regex",
  "encrypted_regex",
  "unencrypted_comment_regex",
  "encrypted_comment_regex",
] as const;
const otherKinds = ["pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"] as const;

/**
 * The metadata under the key `sops`. Throws E_INPUT_INVALID when it is incomplete, when the data key
 * is split over several key groups, and when it is sealed to no age recipient.
 */
export function parseSopsMetadata(node: SourceNode | undefined): SopsMetadata {
  if (node?.kind !== "map") throw notSops();
  const mac = textOf(findItem(node, "mac"));
  const lastModified = findItem(node, "lastmodified");
  if (mac === undefined || mac === "" || lastModified?.kind !== "leaf") {
    throw sourceError("the SOPS file has no message authentication code, so nobody can tell whether it was changed");
  }
  const group = onlyGroup(node);
  const sealedKeys = listOf(findItem(group, "age")).flatMap((entry) => {
    const sealed = entry.kind === "map" ? textOf(findItem(entry, "enc")) : undefined;
    return sealed === undefined ? [] : [sealed];
  });
  const otherKeys = otherKinds.filter((kind) => listOf(findItem(group, kind)).length > 0);
  if (sealedKeys.length === 0) {
    throw sourceError(
      `the SOPS file is sealed to no age recipient${otherKeys.length === 0 ? "" : `, only to ${otherKeys.join(", ")}`}`,
      "add yours with sops: sops rotate -i --add-age RECIPIENT FILE",
      "or open it with sops and pipe it in: sops decrypt FILE | sealtree import SCOPE --from yaml",
    );
  }
  return {
    sealedKeys,
    otherKeys,
    mac,
    lastModified: lastModified.text,
    macOnlyEncrypted: isTrue(findItem(node, "mac_only_encrypted")),
    selection: findSelection(node),
    version: textOf(findItem(node, "version")) ?? "unknown",
  };
}

/** E_INPUT_INVALID for a file that SOPS did not write. */
export function notSops(): Error {
  return sourceError(
    "the file is not a SOPS file: it has no sops metadata",
    "seal it with sops, or import it with --from yaml, json or dotenv",
  );
}

function onlyGroup(node: SourceBranch): SourceBranch {
  const groups = listOf(findItem(node, "key_groups"));
  if (groups.length > 1) {
    throw sourceError(
      `the data key is split over ${groups.length} key groups (Shamir), so no single identity opens the file`,
      "open it with sops, which asks every group: sops decrypt FILE | sealtree import SCOPE --from yaml",
    );
  }
  const [group] = groups;
  return group?.kind === "map" ? group : node;
}

function findSelection(node: SourceBranch): SopsSelection {
  const set = selections.flatMap((by) => {
    const text = textOf(findItem(node, by)) ?? "";
    return text === "" ? [] : [{ by, text }];
  });
  if (set.length > 1) throw sourceError("the SOPS metadata has more than one rule of what is sealed");
  return set[0] ?? { by: "unencrypted_suffix", text: "_unencrypted" };
}

function listOf(node: SourceNode | undefined): readonly SourceNode[] {
  return node?.kind === "list" ? node.items.map(({ value }) => value) : [];
}

function isTrue(node: SourceNode | undefined): boolean {
  return node?.kind === "leaf" && node.text === "true";
}

type Draft = Map<string, Draft> | Draft[] | string;

/**
 * Metadata of a flat file, `age__list_0__map_enc` and the like, as a tree. The two characters `\n`
 * in a value are a line end.
 */
export function unflattenMetadata(pairs: ReadonlyMap<string, string>): SourceNode {
  const root = new Map<string, Draft>();
  for (const [name, written] of pairs) {
    const steps = name.split(/(?=__(?:map|list)_)/).map((step) => step.replace(/^__map_/, ""));
    place(root, steps, written.replaceAll("\\n", "\n"));
  }
  return toNode(root);
}

function place(root: Map<string, Draft>, steps: readonly string[], text: string): void {
  let at: Draft = root;
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    const fresh: Draft = next === undefined ? text : next.startsWith("__list_") ? [] : new Map<string, Draft>();
    if (at instanceof Map) {
      const child: Draft = at.get(step) ?? fresh;
      at.set(step, child);
      at = child;
    } else if (Array.isArray(at)) {
      const position = Number(step.replace(/^__list_/, ""));
      if (!Number.isInteger(position) || position < 0 || position > 1000) throw notSops();
      const child: Draft = at[position] ?? fresh;
      at[position] = child;
      at = child;
    } else throw notSops();
  }
}

function toNode(draft: Draft): SourceNode {
  if (typeof draft === "string") return { kind: "leaf", type: "text", text: draft };
  const entries: [string, Draft][] =
    draft instanceof Map ? [...draft] : draft.filter((child) => child !== undefined).map((child) => ["", child]);
  const items = entries.map(([key, child]) => ({ key, value: toNode(child), comments: [] }));
  return { kind: draft instanceof Map ? "map" : "list", items, trailing: [] };
}
