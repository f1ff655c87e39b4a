import { parseRecordHeader } from "../crypto/record.ts";
import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type SecretName } from "../secret/address.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { readScope } from "../store/keyring.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import { rotatedNames, type Values } from "./credential-values.ts";
import type { Secret } from "../secret/secret.ts";
import type { ValueOrigin } from "../values/seal-value.ts";
import type { Journal, JournalCredential } from "./journal.ts";
import type { Rule } from "./policy.ts";
import type { RotationView, ViewScope } from "./rotation-view.ts";

/** Values of an earlier version, with their value ids and times. */
export type EarlierValues = ReadonlyMap<SecretName, { readonly origin: ValueOrigin; readonly secret: Secret }>;

/** The live values of the secrets of one rotation, of which some may not be there. */
export async function openLive(scope: ViewScope, address: Address, rule: Rule): Promise<Values> {
  const values = new Map<SecretName, Awaited<ReturnType<ViewScope["open"]["open"]>>>();
  for (const name of rotatedNames(address, rule))
    if (scope.open.entries.has(name)) values.set(name, await scope.open.open(name));
  return values;
}

/** Value ids of the secrets of one rotation as they are now. */
export function baseOf(entries: ScopeEntries, address: Address, rule: Rule): Map<SecretName, string | null> {
  const idOf = (name: SecretName) => {
    const record = entries.get(name)?.record;
    return record === undefined ? null : readSealedHeader(record).valueId;
  };
  return new Map(rotatedNames(address, rule).map((name) => [name, idOf(name)]));
}

/** Throws E_RACED when a value is another than the rotation began with. */
export function checkBase(entries: ScopeEntries, address: Address, base: Journal["base"]): void {
  for (const [name, valueId] of base) {
    const record = entries.get(name)?.record;
    if ((record === undefined ? null : readSealedHeader(record).valueId) === valueId) continue;
    throw new SealtreeError(
      "E_RACED",
      `somebody set ${printAddress({ scope: address.scope, name })} while it was being rotated`,
      {
        hints: [
          `sealtree log ${printAddress({ scope: address.scope, name })} shows who`,
          `sealtree rotate ${printAddress(address)} --abandon ends the rotation and keeps what was set`,
        ],
      },
    );
  }
}

/** True when the trunk has the values that the branch has, so that programs get them. */
export async function hasLanded(view: RotationView, { address, base }: Journal): Promise<boolean> {
  const there = await readScope(view.trunk, address.scope);
  const { open } = await view.scope(address.scope);
  return [...base.keys()].every((name) => sameValue(there?.get(name)?.record, open.entries.get(name)?.record));
}

/** The live values as a journal keeps them. What is a drop is left out: it never was read. */
export async function sealPrevious(scope: ViewScope, names: Iterable<SecretName>): Promise<Map<SecretName, string>> {
  const sealed = new Map<SecretName, string>();
  for (const name of names) {
    const record = scope.open.entries.get(name)?.record;
    if (record === undefined || isDrop(record)) continue;
    const { valueId, createdAt } = parseRecordHeader(record);
    sealed.set(name, await scope.sealer.seal(name, { valueId, createdAt }, await scope.open.open(name), "previous"));
  }
  return sealed;
}

/** The values that a journal holds as live ones: value id and time stay, as they do not become other values. */
export async function sealLive(
  scope: ViewScope,
  held: JournalCredential,
  purpose: "pending" | "previous",
): Promise<Map<SecretName, string>> {
  const records = new Map<SecretName, string>();
  for (const [name, secret] of await openJournaled(scope, held, purpose)) {
    const { valueId, createdAt } = parseRecordHeader(held.values.get(name) ?? "");
    records.set(name, await scope.sealer.seal(name, { valueId, createdAt }, secret));
  }
  return records;
}

/** The values of a credential that a journal holds. Throws as opening a record does. */
export async function openJournaled(
  scope: ViewScope,
  { values }: JournalCredential,
  purpose: "pending" | "previous",
): Promise<Values> {
  const opened = new Map<SecretName, Awaited<ReturnType<ViewScope["openJournaled"]>>>();
  for (const [name, record] of values) opened.set(name, await scope.openJournaled(name, record, purpose));
  return opened;
}
