import { stringify } from "yaml";
import { z } from "zod";
import { looksLikeRecord, parseRecordHeader } from "../crypto/record.ts";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import { isSecretName, type Address, type SecretName } from "../secret/address.ts";
import { journalPath } from "../store/layout.ts";
import { parseStrictYaml } from "../store/strict-yaml.ts";
import type { Tree } from "../store/tree.ts";

/**
 * How far a rotation is. `claimed`: the provider is about to make a value; `pending`: a value is
 * here that the provider may have or not; `promoted`: it is the live value, and the old one is in
 * grace; `suspended`: the old one is out of use and can still be brought back.
 */
export type JournalState = "claimed" | "pending" | "promoted" | "suspended";

/** Sealed values of one credential, and its name at the provider, which is no secret. */
export interface JournalCredential {
  readonly id: string;
  /** The secrets that hold it to their records, sealed for the journal. */
  readonly values: ReadonlyMap<SecretName, string>;
}

/** The credential that was live before. */
export interface PreviousCredential extends JournalCredential {
  readonly revokeAfterMs: number;
  /** True until the branch that programs take their values from has the new value: its grace begins then. */
  readonly awaitsMerge: boolean;
}

/** A rotation in flight or in grace: everything that the next run needs to end it. */
export interface Journal {
  readonly address: Address;
  /** Names this rotation, 16 hex digits. */
  readonly run: string;
  readonly state: JournalState;
  readonly rotator: string;
  /** Changes with what the rule says about how the value is made. */
  readonly rule: string;
  readonly reason: "rotation" | "emergency" | "rollback";
  /** Times in milliseconds since 1970, in whole seconds. */
  readonly startedAtMs: number;
  /** Who works on it and until when; nobody else touches it before then. */
  readonly lease: { readonly holder: string; readonly untilMs: number } | undefined;
  /** Values that the provider did not take. */
  readonly rejected: number;
  /** Value ids of the secrets when the rotation began; null for one that was not there. */
  readonly base: ReadonlyMap<SecretName, string | null>;
  /** Ids of the credentials that were there before one was minted. */
  readonly known: readonly string[] | undefined;
  readonly pending: JournalCredential | undefined;
  /** The credential that was live before; without it nothing is revoked. */
  readonly previous: PreviousCredential | undefined;
}

const runId = z.string().regex(/^[0-9a-f]{16}$/);
const credentialId = z.string().regex(/^[\x21-\x7e]{1,256}$/);
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .transform((text) => Date.parse(text))
  .refine(Number.isFinite);
const secretName = z.string().refine(isSecretName);
const credential = z.strictObject({
  id: credentialId,
  values: z.record(secretName, z.string().refine(isRecord)).refine((values) => Object.keys(values).length > 0),
});

const schema = z.strictObject({
  $sealtree: z.literal(1),
  $scope: z.string(),
  secret: z.string(),
  run: runId,
  state: z.enum(["claimed", "pending", "promoted", "suspended"]),
  rotator: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  rule: runId,
  reason: z.enum(["rotation", "emergency", "rollback"]),
  started: time,
  lease: z.strictObject({ holder: runId, until: time }).exactOptional(),
  rejected: z.int().min(0).max(1000).exactOptional(),
  base: z.record(secretName, z.union([runId, z.null()])),
  known: z.array(credentialId).max(10_000).exactOptional(),
  pending: credential.exactOptional(),
  previous: credential.extend({ revoke_after: time, awaits_merge: z.literal(true).exactOptional() }).exactOptional(),
});

/** The journal of a secret; undefined when no rotation of it is in flight. Throws E_JOURNAL_MALFORMED. */
export async function readJournal(tree: Tree, address: Address): Promise<Journal | undefined> {
  const bytes = await tree.read(journalPath(address));
  return bytes === undefined ? undefined : parseJournal(bytes, address);
}

/**
 * Reads a journal that stands at the path of `address`. It must be written exactly as
 * {@link printJournal} writes it. Throws E_JOURNAL_MALFORMED with the file, never with its content.
 */
export function parseJournal(bytes: Uint8Array, address: Address): Journal {
  const path = journalPath(address);
  const malformed = (what: string) =>
    new SealtreeError("E_JOURNAL_MALFORMED", `${path}: ${what}`, {
      file: path,
      hints: [`restore it: git log -- ${path}, then git checkout COMMIT -- ${path}`],
    });
  const written = readYaml(bytes, path);
  const parsed = schema.safeParse(written);
  if (!parsed.success)
    throw malformed(`${parsed.error.issues[0]?.path.join(".") ?? ""} is not what a journal has there`);
  const { data } = parsed;
  if (data.$scope !== address.scope || data.secret !== address.name)
    throw malformed("it was written for another secret than the one it is found at");
  const { pending, previous, lease } = data;
  const journal: Journal = {
    address,
    run: data.run,
    state: data.state,
    rotator: data.rotator,
    rule: data.rule,
    reason: data.reason,
    startedAtMs: data.started,
    lease: lease === undefined ? undefined : { holder: lease.holder, untilMs: lease.until },
    rejected: data.rejected ?? 0,
    base: toMap(data.base),
    known: data.known,
    pending: pending === undefined ? undefined : toCredential(pending),
    previous: previous === undefined ? undefined : toPrevious(previous),
  };
  const what = findFlaw(journal);
  if (what !== undefined) throw malformed(what);
  if (printJournal(journal) !== Buffer.from(bytes).toString("utf8"))
    throw malformed("it is not written as sealtree writes it");
  return journal;
}

/** The one way a journal is written. */
export function printJournal(journal: Journal): string {
  const { address, lease, known, pending, previous } = journal;
  return stringify(
    {
      $sealtree: 1,
      $scope: address.scope,
      secret: address.name,
      run: journal.run,
      state: journal.state,
      rotator: journal.rotator,
      rule: journal.rule,
      reason: journal.reason,
      started: printTime(journal.startedAtMs),
      ...(lease === undefined ? {} : { lease: { holder: lease.holder, until: printTime(lease.untilMs) } }),
      ...(journal.rejected === 0 ? {} : { rejected: journal.rejected }),
      base: Object.fromEntries(journal.base),
      ...(known === undefined ? {} : { known }),
      ...(pending === undefined ? {} : { pending: printCredential(pending) }),
      ...(previous === undefined ? {} : { previous: printPrevious(previous) }),
    },
    { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" },
  );
}

function printPrevious(previous: PreviousCredential) {
  const until = { revoke_after: printTime(previous.revokeAfterMs) };
  return { ...printCredential(previous), ...until, ...(previous.awaitsMerge ? { awaits_merge: true } : {}) };
}

function printCredential({ id, values }: JournalCredential) {
  return { id, values: Object.fromEntries(values) };
}

function toCredential({ id, values }: z.infer<typeof credential>): JournalCredential {
  return { id, values: toMap(values) };
}

function toPrevious({
  revoke_after: revokeAfterMs,
  awaits_merge: awaits,
  ...held
}: NonNullable<z.infer<typeof schema>["previous"]>): PreviousCredential {
  return { ...toCredential(held), revokeAfterMs, awaitsMerge: awaits === true };
}

function toMap<T>(written: Readonly<Record<string, T>>): Map<SecretName, T> {
  return new Map(Object.entries(written).flatMap(([name, value]) => (isSecretName(name) ? [[name, value]] : [])));
}

function printTime(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** What each state must have and must not have. */
function findFlaw({ state, pending, previous, known, base, address }: Journal): string | undefined {
  if (!base.has(address.name)) return "its base does not name its secret";
  if ((pending === undefined) === (state === "pending"))
    return `a journal in the state ${state} has ${pending === undefined ? "a" : "no"} pending value`;
  const isAfter = state === "promoted" || state === "suspended";
  if ((previous === undefined) === isAfter)
    return `a journal in the state ${state} has ${isAfter ? "a" : "no"} previous value`;
  if (isAfter && known !== undefined) return `a journal in the state ${state} knows of no other credentials`;
  const names = [...((pending ?? previous)?.values.keys() ?? [])];
  return names.every((name) => base.has(name)) ? undefined : "it holds a value that its base does not name";
}

function isRecord(text: string): boolean {
  try {
    return looksLikeRecord(text) && parseRecordHeader(text) !== undefined;
  } catch (error) {
    if (isSealtreeError(error)) return false;
    throw error;
  }
}

function readYaml(bytes: Uint8Array, path: string): unknown {
  try {
    return parseStrictYaml(bytes, path).data;
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    throw new SealtreeError("E_JOURNAL_MALFORMED", error.message, { file: path, hints: error.hints });
  }
}
