import { createHash } from "node:crypto";
import type { Identity } from "../crypto/identity.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { createInterpolation, type Interpolation } from "../resolve/interpolate.ts";
import { missingError, type MissingReference } from "../resolve/missing-reference.ts";
import { createSecretSource, type SecretSource } from "../resolve/secret-source.ts";
import { readScope } from "../store/keyring.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import type { WantedItem } from "./plan.ts";
import type { TargetEntry } from "./policy.ts";
import { nameThere, takesName } from "./target-names.ts";

/** A value as it is deployed. */
export interface DeployValue {
  readonly secret: Secret;
  /** Changes with each of the values that went into it, and says nothing of them; 16 hex digits. */
  readonly fingerprint: string;
  /** The secrets that went into it, itself first, as `scope/NAME`. */
  readonly sources: readonly string[];
  /** The first of them that is a drop: a value that no reader has adopted. */
  readonly drop: string | undefined;
}

/** An item of a target, and where it comes from. */
export interface SourcedItem extends WantedItem {
  /** The secret itself. */
  readonly source: Address;
  readonly sources: readonly string[];
  readonly drop: string | undefined;
}

/** Opens values of one tree, each once, with the references in them resolved. */
export class DeployValues {
  readonly #tree: Tree;
  readonly #source: SecretSource;
  readonly #interpolation: Interpolation;
  readonly #scopes = new Map<ScopePath, Promise<ScopeEntries>>();
  readonly #values = new Map<string, Promise<DeployValue>>();

  constructor(tree: Tree, identities: readonly Identity[]) {
    this.#tree = tree;
    this.#source = createSecretSource(tree, identities);
    this.#interpolation = createInterpolation(this.#source);
  }

  /** The records of a scope, which takes no key. Throws E_SCOPE_NOT_FOUND, and what parsing its file throws. */
  entries(scope: ScopePath): Promise<ScopeEntries> {
    const known = this.#scopes.get(scope) ?? this.#read(scope);
    this.#scopes.set(scope, known);
    return known;
  }

  /** A value as it is deployed. Throws what opening a record and resolving references throws. */
  value(address: Address): Promise<DeployValue> {
    const key = printAddress(address);
    const known = this.#values.get(key) ?? this.#open(address);
    this.#values.set(key, known);
    return known;
  }

  /** Everything that a target shall have, in the order of its scopes and their files. */
  async wanted(entry: TargetEntry): Promise<SourcedItem[]> {
    const items: SourcedItem[] = [];
    for (const scope of new Set(entry.scopes)) {
      for (const name of (await this.entries(scope)).keys()) {
        if (!takesName(entry.only, name)) continue;
        const address = { scope, name };
        const { secret, fingerprint, sources, drop } = await this.value(address);
        const mark = { address: printAddress(address), fingerprint };
        items.push({ name: nameThere(entry, name), value: secret, mark, source: address, sources, drop });
      }
    }
    return items;
  }

  async #read(scope: ScopePath): Promise<ScopeEntries> {
    const entries = await readScope(this.#tree, scope);
    if (entries !== undefined) return entries;
    const { scopeNotFound } = await import("../values/not-found.ts");
    throw await scopeNotFound(this.#tree, scope);
  }

  async #open(address: Address): Promise<DeployValue> {
    const missing: MissingReference[] = [];
    const resolved = await this.#interpolation.resolve(await this.#source.open(address), missing);
    if (missing.length > 0) throw missingError(missing);
    const all = [resolved, ...resolved.references];
    const drop = all.find(({ isDrop }) => isDrop);
    const valueIds: string[] = [];
    for (const { address: of } of all) {
      const record = (await this.entries(of.scope)).get(of.name)?.record ?? "";
      valueIds.push(readSealedHeader(record).valueId);
    }
    return {
      secret: resolved.secret,
      fingerprint: fingerprintOf(valueIds),
      sources: all.map((item) => printAddress(item.address)),
      drop: drop === undefined ? undefined : printAddress(drop.address),
    };
  }
}

/** Of a single value its own id; of several, 16 hex digits that change with each of them. */
function fingerprintOf(valueIds: readonly string[]): string {
  const [first, ...others] = valueIds;
  if (first !== undefined && others.length === 0) return first;
  return createHash("sha256").update(JSON.stringify(valueIds)).digest("hex").slice(0, 16);
}
