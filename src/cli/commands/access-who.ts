import { loadPolicy } from "../../access/policy.ts";
import { listPresentReaders, type PresentReader } from "../../access/present-readers.ts";
import { isDrop, readSealedHeader } from "../../crypto/sealed-header.ts";
import { findHead, resolveCommit } from "../../git/revision.ts";
import { listPastReaders, type PastReader, type PastReaders } from "../../history/past-readers.ts";
import type { ScopePath, SecretName } from "../../secret/address.ts";
import { readKeyring, readScope, type Keyring } from "../../store/keyring.ts";
import type { Tree } from "../../store/tree.ts";
import { secretNotFound } from "../../values/not-found.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { requireHistory, sayGaps } from "../load-exposure.ts";
import { count, relativeTime, table } from "../present.ts";
import { safeText } from "../safe-text.ts";
import { noSuchScope, parseTarget } from "../target.ts";

interface Subject {
  readonly scope: ScopePath;
  readonly name?: SecretName;
}

export const accessWho: CommandModule = {
  arguments: "<address|scope>",
  kind: "read",
  description:
    "Lists who can read a secret or a scope: by the policy and by the keyring, and where the two differ. --ever lists everybody who could at any time read the value that it has now, from all of the history. Needs no key.",
  options: [
    { flags: "--ever", description: "everybody who could ever read the value in force" },
    { flags: "--all-refs", description: "with --ever, read the history of all branches, tags and the stash too" },
  ],
  examples: [
    { command: "sealtree access who prod/api/STRIPE_KEY", description: "who can read it now" },
    { command: "sealtree access who prod/api/STRIPE_KEY --ever", description: "who knows the value it has" },
    { command: "sealtree access who prod/api --at v1.2.0 --json", description: "who could read a release's secrets" },
  ],
  json: '{"scope", "name"|null, "agrees": boolean, "readers": [{"name", "kind": "person"|"machine"|"recovery"|"stranger", "roles": [role], "fingerprints": [fingerprint], "by_policy": boolean, "by_keyring": boolean, "missing": [fingerprint], "extra": [fingerprint]}]} and with --ever {"scope", "name"|null, "values": number, "readers": [{"name", "fingerprints", "first": {"commit","at"}|null, "last": {"commit","at"}|null, "reads_now": boolean, "secrets": [name]}], "complete": boolean, "warnings": [text]}',
  async run(context, [text = ""], options) {
    context.about({ operation: "access who" });
    const tree = await context.tree();
    const subject = await parseSubject(tree, text);
    context.about({ operation: "access who", ...subject });
    const present = await readPresent(tree, subject);
    if (options["ever"] === true) await showEver(context, subject, present, options["allRefs"] === true);
    else showNow(context, subject, present);
  },
};

async function parseSubject(tree: Tree, text: string): Promise<Subject> {
  const target = await parseTarget(tree, text);
  if (target.kind === "scope") return { scope: target.scope };
  const { address } = target;
  const entries = await readScope(tree, address.scope);
  if (entries === undefined) throw await noSuchScope(tree, text, address);
  if (!entries.has(address.name)) throw secretNotFound(tree, address, entries.keys());
  return address;
}

/** Of a secret, only the generation that its record is under counts. */
async function readPresent(tree: Tree, { scope, name }: Subject): Promise<PresentReader[]> {
  const policy = await loadPolicy(tree);
  const keyring = await readKeyring(tree, scope);
  const record = name === undefined ? undefined : (await readScope(tree, scope))?.get(name)?.record;
  if (record === undefined) return listPresentReaders(policy, scope, keyring);
  // A drop does not say who can open it.
  if (isDrop(record)) return listPresentReaders(policy, scope, new Map());
  const { generation = "" } = readSealedHeader(record);
  const file = keyring.get(generation);
  const own: Keyring = file === undefined ? new Map() : new Map([[generation, file]]);
  return listPresentReaders(policy, scope, own);
}

function showNow(context: Context, { scope, name }: Subject, readers: readonly PresentReader[]): void {
  const agrees = readers.every(({ missing, extra }) => missing.length + extra.length === 0);
  if (context.options.json) {
    const listed = readers.map((reader) => ({
      ...reader,
      by_policy: isByPolicy(reader),
      by_keyring: isByKeyring(reader),
    }));
    context.json({ scope, name: name ?? null, agrees, readers: listed });
    return;
  }
  const rows = readers.map((reader) => [
    reader.name,
    reader.kind,
    reader.roles.join(", "),
    reader.fingerprints.join(", "),
    sayDifference(reader),
  ]);
  for (const line of table(rows)) context.line(safeText(line));
  if (!agrees) context.say("policy and keyring differ: sealtree rekey makes them agree");
}

function sayDifference({ missing, extra, fingerprints }: PresentReader): string {
  const all = (keys: readonly string[]) => (keys.length === fingerprints.length ? "" : ` with ${keys.join(", ")}`);
  return [
    ...(missing.length === 0 ? [] : [`may read by the policy, cannot yet${all(missing)}`]),
    ...(extra.length === 0 ? [] : [`can read, and may not by the policy${all(extra)}`]),
  ].join("; ");
}

function isByPolicy({ fingerprints, extra }: PresentReader): boolean {
  return extra.length < fingerprints.length;
}

function isByKeyring({ fingerprints, missing }: PresentReader): boolean {
  return missing.length < fingerprints.length;
}

async function showEver(
  context: Context,
  subject: Subject,
  present: readonly PresentReader[],
  allRefs: boolean,
): Promise<void> {
  const place = requireHistory(context);
  const { at } = context.options;
  const from = at === undefined ? await findHead(place) : await resolveCommit(place, at);
  const found = await listPastReaders(place, { target: subject, from, allRefs, withWorkTree: at === undefined });
  const now = new Set(present.filter(isByKeyring).map(({ name }) => name));
  if (context.options.json) printEver(context, subject, found, now);
  else sayEver(context, subject, found, now);
}

function printEver(context: Context, { scope, name }: Subject, found: PastReaders, now: ReadonlySet<string>): void {
  const readers = found.readers.map((reader) => ({
    name: reader.name,
    fingerprints: reader.fingerprints,
    first: reader.first ?? null,
    last: now.has(reader.name) ? null : (reader.last ?? null),
    reads_now: now.has(reader.name),
    secrets: reader.secrets,
  }));
  const { values, isComplete, warnings } = found;
  context.json({ scope, name: name ?? null, values, readers, complete: isComplete, warnings });
}

function sayEver(context: Context, { name }: Subject, found: PastReaders, now: ReadonlySet<string>): void {
  const nowMs = context.io.now().getTime();
  const rows = found.readers.map((reader) => [
    reader.name,
    reader.fingerprints.join(", "),
    reader.first === undefined ? "when committed" : `from ${sayPoint(reader.first, nowMs)}`,
    now.has(reader.name) ? "reads it now" : sayLast(reader, nowMs),
    ...(name === undefined ? [`${reader.secrets.length} of ${count(found.values, "secret")}`] : []),
  ]);
  for (const line of table(rows)) context.line(safeText(line));
  sayGaps(context, found);
}

function sayLast({ last }: PastReader, nowMs: number): string {
  return last === undefined ? "reads it no more" : `until ${sayPoint(last, nowMs)}`;
}

function sayPoint({ commit, at }: NonNullable<PastReader["first"]>, nowMs: number): string {
  return `${commit.slice(0, 9)}, ${relativeTime(Date.parse(at), nowMs)}`;
}
