import type { Identity } from "../crypto/identity.ts";
import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { readKeyring, type Keyring } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { openScope, type OpenScope } from "../values/open-scope.ts";
import type { SelectedSecret } from "../values/select-secrets.ts";

/** Opens secrets by address: each scope and each record once. */
export interface SecretSource {
  /** One secret. Throws what opening a scope and a record throws. */
  open(address: Address): Promise<SelectedSecret>;
  /** True when the scope has the secret. Opens nothing. */
  has(address: Address): Promise<boolean>;
  /**
   * Who can read some value of `from`, and not the one value at `to`: names as the keyring has them,
   * sorted. Undefined when the keyring of `from` says nothing, as that of a scope with drops only.
   */
  readersWithout(from: ScopePath, to: Address): Promise<readonly string[] | undefined>;
}

/** A source over one tree. */
export function createSecretSource(tree: Tree, identities: readonly Identity[]): SecretSource {
  const scopes = new Map<ScopePath, Promise<OpenScope>>();
  const keyrings = new Map<ScopePath, Promise<Keyring>>();
  const secrets = new Map<string, Promise<SelectedSecret>>();
  const leftOut = new Map<string, Promise<readonly string[] | undefined>>();

  const scopeOf = (scope: ScopePath) => remember(scopes, scope, async () => await openScope(tree, scope, identities));
  const keyringOf = (scope: ScopePath) => remember(keyrings, scope, async () => await readKeyring(tree, scope));

  const openOnce = async (address: Address): Promise<SelectedSecret> => {
    const opened = await scopeOf(address.scope);
    const secret = await opened.open(address.name);
    const record = opened.entries.get(address.name)?.record ?? "";
    return { address, secret, reader: await opened.readerOf(record), isDrop: isDrop(record) };
  };

  return {
    open: (address) => remember(secrets, printAddress(address), async () => await openOnce(address)),
    async has({ scope, name }) {
      return (await scopeOf(scope)).entries.has(name);
    },
    async readersWithout(from, to) {
      const record = (await scopeOf(to.scope)).entries.get(to.name)?.record ?? "";
      const { generation } = readSealedHeader(record);
      return await remember(leftOut, `${from} ${to.scope} ${generation ?? "drop"}`, async () =>
        findLeftOut(await keyringOf(from), await keyringOf(to.scope), generation),
      );
    },
  };
}

/**
 * All who can open a generation now, and those for whom the ones were made that no other has replaced:
 * the first list may be edited by whoever may write the file, the second is sealed in it.
 */
function listPossibleReaders(keyring: Keyring): [string, readonly string[]][] {
  const files = [...keyring.values()];
  const replaced = new Set(files.map(({ previous }) => previous));
  const lists = files.flatMap(({ id, wrappedFor, mintedFor }) =>
    replaced.has(id) ? [wrappedFor] : [wrappedFor, mintedFor],
  );
  return lists.flatMap((list) => [...list]);
}

/** Names of those who can read by `from` and cannot open `generation` of `to`; of a drop, which lists nobody, every one. */
function findLeftOut(from: Keyring, to: Keyring, generation: string | undefined): readonly string[] | undefined {
  const readers = listPossibleReaders(from);
  if (readers.length === 0) return undefined;
  const files = generation === undefined ? [...to.values()] : [to.get(generation)];
  const opening = files.map((file) => new Set([...(file?.wrappedFor.values() ?? [])].flat()));
  const isLeftOut = (print: string) => opening.length === 0 || opening.some((prints) => !prints.has(print));
  const names = readers.flatMap(([name, prints]) => (prints.some(isLeftOut) ? [name] : []));
  return [...new Set(names)].sort(compareText);
}

function remember<K, V>(known: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
