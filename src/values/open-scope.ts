import type { Identity } from "../crypto/identity.ts";
import { openRecord, type RecordPlace } from "../crypto/record.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { readGeneration, readScope } from "../store/keyring.ts";
import { openGeneration, type OpenGeneration } from "../store/open-generation.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";

/** A scope whose records and drops can be opened; a generation is unwrapped when first needed. */
export interface OpenScope {
  readonly scope: ScopePath;
  readonly entries: ScopeEntries;
  /** Opens the record of one secret. Throws E_SECRET_NOT_FOUND and what {@link openSealed} throws. */
  open(name: SecretName): Promise<Secret>;
  /** Opens every record, in the order of the file. */
  openAll(): Promise<Map<SecretName, Secret>>;
  /**
   * Opens a record or a drop as the value of `name`, also one from another commit. Throws E_NO_ACCESS
   * when no identity fits its generation, or the drop, E_RECORD_INTEGRITY or E_GENERATION_UNKNOWN when it
   * does not belong here, and then says what it was sealed for where that can be found out.
   */
  openSealed(name: SecretName, record: string): Promise<Secret>;
  /** Whose key opened a record, as the keyring lists readers; undefined when not known, as of a drop. */
  readerOf(record: string): Promise<string | undefined>;
  /** The key of a generation. Throws E_NO_ACCESS, E_GENERATION_UNKNOWN. */
  generation(id: string): Promise<OpenGeneration>;
}

/** Opens a scope for reading. Throws E_SCOPE_NOT_FOUND, and what parsing its file throws. */
export async function openScope(tree: Tree, scope: ScopePath, identities: readonly Identity[]): Promise<OpenScope> {
  const entries = await readScope(tree, scope);
  if (entries === undefined) {
    const { scopeNotFound } = await import("./not-found.ts");
    throw await scopeNotFound(tree, scope);
  }
  return openEntries(tree, scope, entries, identities);
}

/** {@link openScope} for entries that are at hand already. */
export function openEntries(
  tree: Tree,
  scope: ScopePath,
  entries: ScopeEntries,
  identities: readonly Identity[],
): OpenScope {
  const generations = new Map<string, Promise<OpenGeneration>>();

  const load = async (id: string): Promise<OpenGeneration> => {
    const file = await readGeneration(tree, scope, id);
    if (file === undefined) {
      throw new SealtreeError("E_GENERATION_UNKNOWN", `${scope} has no generation ${id}`, {
        hints: [`restore it from history: git log --all -- 'secrets/**/${id}.yaml'`],
      });
    }
    const opened = await openGeneration(scope, file, identities);
    if (opened !== undefined) return opened;
    throw new SealtreeError("E_NO_ACCESS", `${sayNone(identities)} open ${scope}`, {
      hints: [
        `readers: ${[...file.wrappedFor.keys()].join(", ")}`,
        "ask one of them to add you: sealtree member add NAME --recipient R --role ROLE",
      ],
    });
  };

  const generation = (id: string) => {
    const known = generations.get(id) ?? load(id);
    generations.set(id, known);
    return known;
  };

  const openSealed = async (name: SecretName, record: string): Promise<Secret> => {
    const place: RecordPlace = { scope, name, purpose: "value" };
    try {
      const header = readSealedHeader(record);
      if (header.kind === "drop") return await openDropped(place, record, identities);
      return openRecord((await generation(header.generation)).dek, place, record);
    } catch (error) {
      if (!hasCode(error, "E_RECORD_INTEGRITY", "E_GENERATION_UNKNOWN", "E_RECORD_MALFORMED")) throw error;
      const { explainMisplaced } = await import("./explain-misplaced.ts");
      throw await explainMisplaced({ tree, scope, entries, generation }, name, record, error);
    }
  };

  const open = async (name: SecretName): Promise<Secret> => {
    const entry = entries.get(name);
    if (entry !== undefined) return await openSealed(name, entry.record);
    const { secretNotFound } = await import("./not-found.ts");
    throw secretNotFound(tree, { scope, name }, entries.keys());
  };

  return {
    scope,
    entries,
    open,
    openSealed,
    generation,
    async readerOf(record) {
      const header = readSealedHeader(record);
      return header.kind === "drop" ? undefined : (await generation(header.generation)).reader;
    },
    async openAll() {
      const opened = new Map<SecretName, Secret>();
      for (const [name, { record }] of entries) opened.set(name, await openSealed(name, record));
      return opened;
    },
  };
}

function sayNone({ length }: readonly Identity[]): string {
  return length === 1 ? "your one identity cannot" : `none of your ${length} identities can`;
}

/** A drop is rare, so what opens it is loaded only then. */
async function openDropped(place: RecordPlace, drop: string, identities: readonly Identity[]): Promise<Secret> {
  const { openDrop } = await import("../crypto/drop.ts");
  const secret = await openDrop(drop, place, identities);
  if (secret !== undefined) return secret;
  throw new SealtreeError("E_NO_ACCESS", `${sayNone(identities)} open the drop ${place.scope}/${place.name}`, {
    hints: [
      "it is sealed to those who could read when it was set",
      `when one of them has run sealtree adopt ${place.scope}, every present reader can open it`,
    ],
  });
}
