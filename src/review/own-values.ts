import { readSealedHeader } from "../crypto/sealed-header.ts";
import type { Identity } from "../crypto/identity.ts";
import { isSealtreeError } from "../errors.ts";
import { openObjects } from "../git/objects.ts";
import { readPathHistory } from "../git/path-history.ts";
import type { GitPlace } from "../git/place.ts";
import { printAddress, type ScopePath, type SecretName } from "../secret/address.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import { parseScopeFile, type ScopeEntries } from "../store/scope-file.ts";
import { maxTreeFileBytes, type Tree } from "../store/tree.ts";
import { openEntries, type OpenScope } from "../values/open-scope.ts";
import type { OwnValue } from "./wanted-values.ts";

/** Most values of earlier times that are opened. */
const maxEarlier = 20_000;

export interface OwnValues {
  readonly values: readonly OwnValue[];
  /** Scopes of which something was opened, sorted. */
  readonly opened: readonly ScopePath[];
  /** Scopes with something that none of the identities opens. */
  readonly closed: readonly ScopePath[];
  /** What is broken and so was not opened, one sentence each. */
  readonly problems: readonly string[];
  /** True when there were more earlier values than are opened. */
  readonly isCut: boolean;
}

export interface OwnValuesRequest {
  readonly tree: Tree;
  readonly identities: readonly Identity[];
  /** The scopes to open. */
  readonly includes: (scope: ScopePath) => boolean;
  /** Reads earlier values too, from the history of all refs and of this commit. */
  readonly history?: { readonly place: GitPlace; readonly from: string } | undefined;
}

/** Opens every value that the identities open, and passes over the rest. */
export async function openOwnValues(request: OwnValuesRequest): Promise<OwnValues> {
  const opener = new ValueOpener();
  const { tree, identities, includes, history } = request;
  for (const scope of (await listScopes(tree)).filter(includes)) {
    await opener.attempt(scope, async () => {
      const entries: ScopeEntries = (await readScope(tree, scope)) ?? new Map();
      const open = openEntries(tree, scope, entries, identities);
      for (const [name, { record }] of entries) await opener.open(open, name, record, false);
    });
  }
  if (history !== undefined) await openEarlier(opener, request, history);
  return opener;
}

/** Collects values, each secret's each value once. */
class ValueOpener implements OwnValues {
  readonly values: OwnValue[] = [];
  readonly #opened = new Set<ScopePath>();
  readonly #closed = new Set<ScopePath>();
  readonly #problems = new Set<string>();
  readonly #seen = new Set<string>();
  isCut = false;

  get opened(): readonly ScopePath[] {
    return [...this.#opened].toSorted();
  }

  get closed(): readonly ScopePath[] {
    return [...this.#closed].toSorted();
  }

  get problems(): readonly string[] {
    return [...this.#problems];
  }

  /** Opens a record or a drop, unless the value is known. */
  async open(scope: OpenScope, name: SecretName, sealed: string, isEarlier: boolean): Promise<void> {
    const address = printAddress({ scope: scope.scope, name });
    await this.attempt(scope.scope, async () => {
      const { valueId, generation } = readSealedHeader(sealed);
      const keys = [`${address} ${valueId}`, `${address} ${valueId} ${generation ?? "drop"}`] as const;
      if (keys.some((key) => this.#seen.has(key))) return;
      this.#seen.add(keys[1]);
      const secret = await scope.openSealed(name, sealed);
      this.#seen.add(keys[0]);
      this.values.push({ address, secret, isEarlier });
      this.#opened.add(scope.scope);
    });
  }

  async attempt(scope: ScopePath, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      if (error.code === "E_NO_ACCESS") this.#closed.add(scope);
      else this.#problems.add(error.message);
    }
  }
}

/** Opens the values of every version of every scope file. A generation is read from the work tree, or from where it was. */
async function openEarlier(
  opener: ValueOpener,
  { tree, identities, includes }: OwnValuesRequest,
  { place, from }: { readonly place: GitPlace; readonly from: string },
): Promise<void> {
  const versions = new Map<string, ScopePath>();
  const keyrings = new Map<string, string>();
  for await (const { changes } of readPathHistory(place, { from, allRefs: true, paths: [secretsDirectory] })) {
    for (const { path, mode, after } of changes) {
      const parsed = after === undefined || !mode.startsWith("100") ? undefined : parseSecretsPath(path);
      if (after === undefined || parsed === undefined || !includes(parsed.scope)) continue;
      if (parsed.kind === "scope") versions.set(after, parsed.scope);
      if (parsed.kind === "generation") keyrings.set(path, after);
    }
  }
  const objects = openObjects(place);
  const past: Tree = {
    label: "the history",
    read: async (path) => (await tree.read(path)) ?? (await readPast(keyrings.get(path))),
    list: async (directory) => await tree.list(directory),
  };
  const readPast = async (id: string | undefined) =>
    id === undefined ? undefined : await objects.readBlob(id, maxTreeFileBytes);
  const scopes = new Map<ScopePath, OpenScope>();
  try {
    for await (const { id, bytes } of objects.readBlobs([...versions.keys()], maxTreeFileBytes)) {
      const scope = versions.get(id);
      if (bytes === undefined || scope === undefined) continue;
      const open = scopes.get(scope) ?? openEntries(past, scope, new Map(), identities);
      scopes.set(scope, open);
      await opener.attempt(scope, async () => {
        for (const [name, { record }] of parseScopeFile(bytes, scope)) {
          opener.isCut ||= opener.values.length >= maxEarlier;
          if (!opener.isCut) await opener.open(open, name, record, true);
        }
      });
      if (opener.isCut) return;
    }
  } finally {
    objects.close();
  }
}
