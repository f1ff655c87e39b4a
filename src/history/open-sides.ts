import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Identity } from "../crypto/identity.ts";
import { hasCode } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Tree } from "../store/tree.ts";
import { openEntries, type OpenScope } from "../values/open-scope.ts";

/** A value of one side of a comparison; undefined for one that none of the identities opens. */
export interface SideValue {
  readonly secret: Secret | undefined;
  /** Whose key opened it; undefined when not known. */
  readonly reader: string | undefined;
}

/** Opens the records of one side of a comparison, scope by scope, each generation once. */
export class SideOpener {
  readonly #tree: Tree;
  readonly #identities: readonly Identity[];
  readonly #scopes = new Map<ScopePath, OpenScope>();

  constructor(tree: Tree, identities: readonly Identity[]) {
    this.#tree = tree;
    this.#identities = identities;
  }

  /** Throws what opening throws, but for E_NO_ACCESS, which is an answer. */
  async open(scope: ScopePath, name: SecretName, record: string): Promise<SideValue> {
    const opened = this.#scopes.get(scope) ?? openEntries(this.#tree, scope, new Map(), this.#identities);
    this.#scopes.set(scope, opened);
    try {
      return { secret: await opened.openSealed(name, record), reader: await opened.readerOf(record) };
    } catch (error) {
      if (hasCode(error, "E_NO_ACCESS")) return { secret: undefined, reader: undefined };
      throw error;
    }
  }
}

const key = randomBytes(32);

/** True when two values have the same bytes. How long it takes says nothing of where they differ. */
export function hasSameBytes(a: Secret, b: Secret): boolean {
  const digest = (bytes: Uint8Array) => createHmac("sha256", key).update(bytes).digest();
  return timingSafeEqual(digest(a.reveal()), digest(b.reveal()));
}
