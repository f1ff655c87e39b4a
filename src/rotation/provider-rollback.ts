import { parseRecordHeader } from "../crypto/record.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { rotationNotOver } from "./flight.ts";
import { readJournal } from "./journal.ts";
import { rotatedNames } from "./credential-values.ts";
import { loadRotationPolicy, ruleFor, type Rule } from "./policy.ts";
import { choosesValues, hasProvider } from "./rotators/registry.ts";

/** What is to be rolled back, as far as it matters here. */
interface Restored {
  readonly scope: ScopePath;
  readonly restored: readonly SecretName[];
  /** Records of then. */
  readonly past: ScopeEntries;
}

/** A rollback of one secret whose credential is at a provider. */
export interface ProviderRollback {
  readonly address: Address;
  /** `previous`: the provider has it still; `earlier`: it is to be given again. */
  readonly to: "previous" | "earlier";
  /** The secrets that hold the credential. */
  readonly names: readonly SecretName[];
}

/**
 * What a rollback comes to at a provider; undefined when none is concerned. Throws
 * E_ROLLBACK_REFUSED for a value that the provider has ended and that nobody can give it again, and
 * E_ROTATION_IN_FLIGHT.
 */
export async function findProviderRollback(
  tree: Tree,
  { scope, restored, past }: Restored,
): Promise<ProviderRollback | undefined> {
  const policy = await loadRotationPolicy(tree);
  const concerned: (readonly [Address, Rule])[] = [];
  for (const name of restored) {
    const rule = ruleFor(policy, { scope, name });
    if (rule !== undefined && hasProvider(rule.rotator)) concerned.push([{ scope, name }, rule]);
  }
  const [found] = concerned;
  if (found === undefined) return undefined;
  const [address, rule] = found;
  const names = rotatedNames(address, rule);
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
  if (isInGrace) return { address, to: "previous", names };
  if (journal !== undefined) {
    throw rotationNotOver(address, [
      "only the value before the present one can come back now, while its grace lasts: --to previous",
      "sealtree rotation status shows until when; any other version can come back then",
    ]);
  }
  if (choosesValues(rule.rotator, rule.options)) return { address, to: "earlier", names };
  throw new SealtreeError("E_ROLLBACK_REFUSED", `the provider has ended that value of ${printed}`, {
    hints: [
      `it would let nobody in; take a new one: sealtree rotate ${printed}`,
      "only the value before the present one can come back, while its grace lasts",
    ],
  });
}
