import { parseRecordHeader } from "../crypto/record.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { readJournal } from "./journal.ts";
import { loadRotationPolicy, ruleFor } from "./policy.ts";
import { hasProvider } from "./rotators/registry.ts";

/** What is to be rolled back, as far as it matters here. */
interface Restored {
  readonly scope: ScopePath;
  readonly restored: readonly SecretName[];
  /** Records of then. */
  readonly past: ScopeEntries;
}

/**
 * The secret of a rollback whose credential is at a provider and whose old value is in grace there;
 * undefined when no provider is concerned. Throws E_ROLLBACK_REFUSED for a value that the provider
 * has ended: it would let nobody in.
 */
export async function findProviderRollback(
  tree: Tree,
  { scope, restored, past }: Restored,
): Promise<Address | undefined> {
  const policy = await loadRotationPolicy(tree);
  const concerned: Address[] = [];
  for (const name of restored) {
    const rule = ruleFor(policy, { scope, name });
    if (rule !== undefined && hasProvider(rule.rotator)) concerned.push({ scope, name });
  }
  const [address] = concerned;
  if (address === undefined) return undefined;
  const printed = printAddress(address);
  if (restored.length > 1) {
    throw new SealtreeError(
      "E_ROLLBACK_REFUSED",
      `${printed} is a credential at a provider, and is rolled back alone`,
      {
        hints: [`sealtree rollback ${printed} --to previous`, "the others one by one"],
      },
    );
  }
  const journal = await readJournal(tree, address);
  const held = journal?.previous?.values.get(address.name);
  const wanted = past.get(address.name)?.record;
  const isInGrace =
    held !== undefined && wanted !== undefined && parseRecordHeader(held).valueId === readSealedHeader(wanted).valueId;
  if (isInGrace) return address;
  throw new SealtreeError("E_ROLLBACK_REFUSED", `the provider has ended that value of ${printed}`, {
    hints: [
      `it would let nobody in; take a new one: sealtree rotate ${printed}`,
      "only the value before the present one can come back, while its grace lasts",
    ],
  });
}
