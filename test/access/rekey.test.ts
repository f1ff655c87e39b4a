import { describe, expect, it } from "vitest";
import { findDrift, needsRekey } from "../../src/access/drift.ts";
import { currentGeneration } from "../../src/access/generations.ts";
import { loadPolicy } from "../../src/access/policy.ts";
import { planRekeys } from "../../src/access/plan-rekeys.ts";
import type { RekeyOptions } from "../../src/access/rekey.ts";
import type { Session } from "../../src/access/session.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { parseRecordHeader, sealRecord } from "../../src/crypto/record.ts";
import { parseScopePath, parseSecretName, type SecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { readKeyring, readScope } from "../../src/store/keyring.ts";
import { openGeneration } from "../../src/store/open-generation.ts";
import { printScopeFile, type ScopeEntry } from "../../src/store/scope-file.ts";
import { applyTo, memoryTree } from "./memory-tree.ts";

const scope = parseScopePath("dev/app");
const name = parseSecretName("API_KEY");
const people = new Map(
  await Promise.all(
    ["alice", "bob"].map(async (who, index) => {
      const { identity, recipient } = await generateIdentity("x25519", (size) => Buffer.alloc(size, index + 1));
      return [who, { identities: parseIdentities(identity), recipient: recipient.text }] as const;
    }),
  ),
);

let fill = 16;
function sessionOf(who: string): Session {
  return {
    place: { root: "/nonexistent", env: {} },
    random: (size) => Buffer.alloc(size, (fill += 1)),
    now: () => new Date("2026-01-01T00:00:00Z"),
    identities: () => Promise.resolve(people.get(who)?.identities ?? []),
    plugins: () => Promise.reject(new Error("no plugin here")),
  };
}

type Files = Readonly<Record<string, string>>;

/** The policy files of a team where all of `names` may read everything. */
function policyOf(...names: string[]): Files {
  return Object.fromEntries([
    [
      "policies/access.yaml",
      `version: 1\nmembers: { ${names.map((who) => `${who}: { roles: [all] }`).join(", ")} }\nroles: { all: { admin: true, grants: [{ scopes: ["**"], allow: [read, write] }] } }\n`,
    ],
    ...names.map((who) => [`policies/members/${who}.pub`, `${people.get(who)?.recipient ?? ""}\n`]),
  ]);
}

const sealed = (files: Files): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith("secrets/")));

async function plan(files: Files, mint: RekeyOptions["mint"] = "if-needed", who = "alice") {
  const tree = memoryTree(files);
  const [planned] = await planRekeys(sessionOf(who), await loadPolicy(tree), tree, [scope], { mint });
  return planned ?? expect.fail("no plan");
}

async function rekey(files: Files, mint: RekeyOptions["mint"] = "if-needed"): Promise<Files> {
  return applyTo(files, (await plan(files, mint)).files);
}

/** A scope with one secret, sealed by alice for `names`. */
async function createScope(...names: string[]): Promise<Files> {
  const files = await rekey({
    ...policyOf(...names),
    "secrets/dev/app.yaml": printScopeFile(scope, new Map<SecretName, ScopeEntry>()),
  });
  return await seal(files);
}

/** `files` with a new value under the current generation. */
async function seal(files: Files): Promise<Files> {
  const tree = memoryTree(files);
  const current =
    currentGeneration(await loadPolicy(tree), scope, await readKeyring(tree, scope)) ??
    expect.fail("no generation is fit");
  const opened =
    (await openGeneration(scope, current, people.get("alice")?.identities ?? [])) ??
    expect.fail("alice cannot open it");
  const header = { generation: opened.id, valueId: "0123456789abcdef", createdAt: 1_700_000_000 };
  const record = sealRecord(opened.dek, { scope, name, purpose: "value" }, header, Secret.text("test-value"), (size) =>
    Buffer.alloc(size, 7),
  );
  return {
    ...files,
    "secrets/dev/app.yaml": printScopeFile(scope, new Map([[name, { record, comments: [" kept"], line: 0 }]])),
  };
}

async function headerOf(files: Files) {
  const entry = (await readScope(memoryTree(files), scope))?.get(name) ?? expect.fail("no record");
  return parseRecordHeader(entry.record);
}

async function driftOf(files: Files) {
  const tree = memoryTree(files);
  const { generation } = await headerOf(files);
  return findDrift(await loadPolicy(tree), scope, await readKeyring(tree, scope), new Map([[name, generation]]));
}

async function opens(who: string, files: Files, id: string): Promise<boolean> {
  const file = (await readKeyring(memoryTree(files), scope)).get(id) ?? expect.fail("no generation");
  return (await openGeneration(scope, file, people.get(who)?.identities ?? [])) !== undefined;
}

describe("planRekeys", () => {
  it("plans nothing for a scope that agrees", async () => {
    const files = await createScope("alice", "bob");
    expect(needsRekey(await driftOf(files))).toBe(false);
    expect(await plan(files)).toMatchObject({ files: [], minted: undefined, rewrapped: 0, resealed: 0 });
  });

  it("wraps the same generation for a new reader and keeps the records", async () => {
    const before = { ...(await createScope("alice")), ...policyOf("alice", "bob") };
    expect(await driftOf(before)).toMatchObject({ missing: ["bob"], extra: [], stale: [] });
    const after = await rekey(before);
    expect(after["secrets/dev/app.yaml"]).toBe(before["secrets/dev/app.yaml"]);
    expect(await opens("bob", after, (await headerOf(after)).generation)).toBe(true);
    expect(needsRekey(await driftOf(after))).toBe(false);
  });

  it.each([
    ["from the start", async () => await createScope("alice", "bob")],
    ["later on", async () => await rekey({ ...(await createScope("alice")), ...policyOf("alice", "bob") })],
  ])("mints a generation when one who was a reader %s is gone, and keeps value id and time", async (_when, create) => {
    const files = await create();
    const before = { ...policyOf("alice"), ...sealed(files) };
    expect(await driftOf(before)).toMatchObject({ extra: ["bob"], stale: [name], staleFor: ["bob"], isUnfit: true });
    expect(
      currentGeneration(await loadPolicy(memoryTree(before)), scope, await readKeyring(memoryTree(before), scope)),
    ).toBeUndefined();
    const after = await rekey(before);
    const [old, now] = [await headerOf(before), await headerOf(after)];
    expect(now).toEqual({ ...old, generation: now.generation });
    expect(now.generation).not.toBe(old.generation);
    expect(await opens("bob", after, now.generation)).toBe(false);
    expect(await opens("bob", after, old.generation)).toBe(false);
    expect(await opens("alice", after, old.generation)).toBe(true);
    expect((await readScope(memoryTree(after), scope))?.get(name)?.comments).toEqual([" kept"]);
    expect(needsRekey(await driftOf(after))).toBe(false);
    expect((await plan(after)).files).toEqual([]);
  });

  it("reports and repairs a record that a revert brought back, although its generation names no stranger any more", async () => {
    const withBob = await rekey({ ...(await createScope("alice")), ...policyOf("alice", "bob") });
    const after = await rekey({ ...policyOf("alice"), ...sealed(withBob) });
    const reverted = { ...after, "secrets/dev/app.yaml": withBob["secrets/dev/app.yaml"] ?? "" };
    expect(await driftOf(reverted)).toMatchObject({ stale: [name], staleFor: [], isUnfit: false });
    const repaired = await rekey(reverted);
    expect((await headerOf(repaired)).generation).toBe((await headerOf(after)).generation);
  });

  it("ends what a crash cut off at any file, without a generation that the removed member knows coming back", async () => {
    const withBob = await rekey({ ...(await createScope("alice")), ...policyOf("alice", "bob") });
    const before = { ...policyOf("alice"), ...sealed(withBob) };
    const { files } = await plan(before);
    expect(files.length).toBeGreaterThan(2);
    for (let written = 0; written <= files.length; written++) {
      const after = await rekey(applyTo(before, files.slice(0, written)));
      expect(needsRekey(await driftOf(after))).toBe(false);
      expect((await headerOf(await seal(after))).generation).not.toBe((await headerOf(before)).generation);
      expect(await opens("bob", after, (await headerOf(after)).generation)).toBe(false);
    }
  });

  it("gives every tip that a merge left a successor", async () => {
    const files = await createScope("alice", "bob");
    const [ours, theirs] = [await rekey(files, "always"), await rekey(files, "always")];
    const merged = { ...theirs, ...ours };
    expect(await readKeyring(memoryTree(merged), scope)).toHaveProperty("size", 3);
    const removed = { ...policyOf("alice"), ...sealed(merged) };
    const after = await rekey(removed);
    const known = [...(await readKeyring(memoryTree(merged), scope)).keys()];
    expect(known).not.toContain((await headerOf(await seal(after))).generation);
    expect(needsRekey(await driftOf(after))).toBe(false);
  });

  it("mints in any case when told to", async () => {
    const before = await createScope("alice");
    const after = await rekey(before, "always");
    expect((await headerOf(after)).generation).not.toBe((await headerOf(before)).generation);
  });

  it("mints once when somebody lost access whom a merge took out of the lists, and not for what came since", async () => {
    const files = await createScope("alice");
    const head = { ...files, ...policyOf("alice", "bob") };
    const former = { policy: await loadPolicy(memoryTree(head)), files: new Set(Object.keys(head)) };
    const rekeyAfter = async (now: Files) => {
      const tree = memoryTree(now);
      const options = { mint: "if-needed", former } as const;
      const [planned] = await planRekeys(sessionOf("alice"), await loadPolicy(tree), tree, [scope], options);
      return applyTo(now, planned?.files ?? []);
    };
    const after = await rekeyAfter(files);
    expect((await headerOf(after)).generation).not.toBe((await headerOf(files)).generation);
    expect(await rekeyAfter(after)).toEqual(after);
  });

  it("refuses what it cannot open, and a record whose generation is gone", async () => {
    const before = { ...(await createScope("alice")), ...policyOf("alice", "bob") };
    await expect(plan(before, "if-needed", "bob")).rejects.toMatchObject({ code: "E_NO_ACCESS" });
    const lost = Object.fromEntries(Object.entries(before).filter(([path]) => !path.includes(".keys/")));
    await expect(plan(lost)).rejects.toMatchObject({ code: "E_GENERATION_UNKNOWN" });
  });
});
