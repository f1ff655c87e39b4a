import type { AuditEvent } from "../audit/event.ts";
import type { Identity } from "../crypto/identity.ts";
import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { hasCode, isSealtreeError, SealtreeError } from "../errors.ts";
import { mayHaveReferences } from "../secret/reference.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { scopeFilePath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { openScope, type OpenScope } from "../values/open-scope.ts";
import type { SelectedSecret } from "../values/select-secrets.ts";
import type { Provided, Provider } from "./provider.ts";
import type { ProvidedValue } from "./runtime-secret.ts";

/** What reading the repository needs. */
export interface RepoAccess {
  /** The files as they are now; what was opened for them is closed by `close`. */
  openTree(): Promise<{ readonly tree: Tree; close(): void }>;
  /** Asked for when a value is opened, not before. Throws E_NO_IDENTITY. */
  identities(): Promise<readonly Identity[]>;
  /** Told of every value that is opened, and of every one that could not be. */
  audit(events: readonly AuditEvent[]): void;
}

/**
 * The sealed values of this repository, with the references in them resolved. Each scope is opened once
 * a call, and what opened it is let go after it. A secret or a scope that is not there is no failure.
 */
export function repoProvider(access: RepoAccess): Provider {
  const seen = new Set<ScopePath>();
  return {
    name: "repo",
    takes: () => true,
    async read(addresses) {
      const opened = await access.openTree();
      const reading: Reading = { tree: opened.tree, access, seen, found: new Map(), events: [] };
      try {
        for (const [scope, wanted] of byScope(addresses)) await readScope(reading, scope, wanted);
        return reading.found;
      } finally {
        opened.close();
        access.audit(reading.events);
      }
    },
  };
}

/** One call, and what came of it so far. */
interface Reading {
  readonly tree: Tree;
  readonly access: RepoAccess;
  /** Scopes that were there when they were read last. */
  readonly seen: Set<ScopePath>;
  readonly found: Map<string, Provided>;
  readonly events: AuditEvent[];
}

async function readScope(reading: Reading, scope: ScopePath, wanted: readonly Address[]): Promise<void> {
  const { tree, access, found, events } = reading;
  const fail = (address: Address, failure: unknown) => {
    found.set(printAddress(address), { failure });
    events.push(failureEvent(address, failure));
  };
  let opened: OpenScope;
  try {
    opened = await openScope(tree, scope, await access.identities());
  } catch (failure) {
    if (!hasCode(failure, "E_SCOPE_NOT_FOUND")) for (const address of wanted) fail(address, failure);
    // git takes a file away before it writes the new one: once is no proof that a scope is gone.
    else if (reading.seen.delete(scope)) for (const address of wanted) fail(address, goneNow(scope));
    return;
  }
  reading.seen.add(scope);
  for (const address of wanted) {
    if (!opened.entries.has(address.name)) continue;
    try {
      found.set(printAddress(address), await readOne(reading, opened, address));
    } catch (failure) {
      fail(address, failure);
    }
  }
}

async function readOne(reading: Reading, opened: OpenScope, address: Address): Promise<ProvidedValue> {
  const sealed = opened.entries.get(address.name)?.record ?? "";
  const secret = await opened.openSealed(address.name, sealed);
  const item = { address, secret, reader: await opened.readerOf(sealed), isDrop: isDrop(sealed) };
  const refers = secret.kind === "text" && mayHaveReferences(secret.revealText() ?? "");
  const resolved = refers ? await resolveOne(reading, item) : { value: secret, others: [] };
  for (const { address: read, reader: member } of [item, ...resolved.others])
    reading.events.push({ kind: "read", operation, ...read, outcome: "ok", member, knownBy: "keyring" });
  // A value with references is another one when one of them is: it is told by its bytes.
  return { value: resolved.value, valueId: refers ? undefined : readSealedHeader(sealed).valueId };
}

async function resolveOne({ tree, access }: Reading, item: SelectedSecret) {
  const { resolveValues } = await import("../resolve/interpolate.ts");
  const [resolved] = await resolveValues(tree, await access.identities(), [item]);
  return { value: resolved?.secret ?? item.secret, others: resolved?.references ?? [] };
}

const operation = "library";

function failureEvent(address: Address, failure: unknown): AuditEvent {
  const error = isSealtreeError(failure) ? failure.code : undefined;
  const isRefused = hasCode(failure, "E_NO_ACCESS", "E_NO_IDENTITY");
  const outcome = isRefused ? "refused" : "failed";
  return { kind: isRefused ? "unauthorised" : "accessFailed", operation, ...address, outcome, error };
}

function goneNow(scope: ScopePath): SealtreeError {
  const file = scopeFilePath(scope);
  return new SealtreeError("E_IO", `${file} is not there, and was when it was last read`, { file });
}

function byScope(addresses: readonly Address[]): ReadonlyMap<ScopePath, readonly Address[]> {
  const scopes = new Map<ScopePath, Address[]>();
  for (const address of addresses) {
    const others = scopes.get(address.scope);
    if (others === undefined) scopes.set(address.scope, [address]);
    else others.push(address);
  }
  return scopes;
}
