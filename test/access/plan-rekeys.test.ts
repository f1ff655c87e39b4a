import { describe, expect, it } from "vitest";
import { loadPolicy } from "../../src/access/policy.ts";
import { planRekeys } from "../../src/access/plan-rekeys.ts";
import type { Session } from "../../src/access/session.ts";
import { sealJob, type SealJob } from "../../src/access/seal-job.ts";
import { startSealPool } from "../../src/access/seal-pool.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { openRecord, parseRecordHeader, sealRecord } from "../../src/crypto/record.ts";
import { parseScopePath, parseSecretName, type ScopePath, type SecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { readKeyring, readScope } from "../../src/store/keyring.ts";
import { scopeFilePath } from "../../src/store/layout.ts";
import { openGeneration } from "../../src/store/open-generation.ts";
import { printScopeFile, type ScopeEntry } from "../../src/store/scope-file.ts";
import { type WriteProgress } from "../../src/store/write.ts";
import { applyTo, memoryTree } from "./memory-tree.ts";

const { identity, recipient } = await generateIdentity("x25519", (size) => Buffer.alloc(size, 1));
const bob = await generateIdentity("x25519", (size) => Buffer.alloc(size, 2));
const identities = parseIdentities(identity);

let fill = 0;
const session: Session = {
  place: { root: "/nonexistent", env: {} },
  random: (size) => Buffer.alloc(size).fill((fill += 1).toString(16).padStart(8, "0"), "hex"),
  now: () => new Date("2026-01-01T00:00:00Z"),
  identities: () => Promise.resolve(identities),
  plugins: () => Promise.reject(new Error("no plugin here")),
};

type Files = Readonly<Record<string, string>>;

function policyOf(...members: readonly (readonly [string, string])[]): Files {
  const named = members.map(([name]) => `${name}: { roles: [all] }`).join(", ");
  const roles = `{ all: { admin: true, grants: [{ scopes: ["**"], allow: [read, write] }] } }`;
  return Object.fromEntries([
    ["policies/access.yaml", `version: 1\nmembers: { ${named} }\nroles: ${roles}\n`],
    ...members.map(([name, text]) => [`policies/members/${name}.pub`, `${text}\n`]),
  ]);
}

const both = policyOf(["alice", recipient.text], ["bob", bob.recipient.text]);
const alone = policyOf(["alice", recipient.text]);
const names = Array.from({ length: 16 }, (_, index) => parseSecretName(`KEY_${index}`));

async function plan(files: Files, scopes: readonly ScopePath[], progress: WriteProgress[] = []): Promise<Files> {
  const tree = memoryTree(files);
  const options = { mint: "if-needed" } as const;
  const planned = await planRekeys(session, await loadPolicy(tree), tree, scopes, options, (at) => progress.push(at));
  expect(planned.map(({ scope }) => scope)).toEqual(scopes);
  return applyTo(
    files,
    planned.flatMap((item) => item.files),
  );
}

async function fileOf(files: Files, scope: ScopePath, text: (name: SecretName) => string): Promise<Files> {
  const [file] = [...(await readKeyring(memoryTree(files), scope)).values()];
  const opened = file && (await openGeneration(scope, file, identities));
  if (opened === undefined) return expect.fail("the scope has no generation");
  const entries = names.map((name): [SecretName, ScopeEntry] => {
    const header = { generation: opened.id, valueId: "0123456789abcdef", createdAt: 1_700_000_000 };
    const place = { scope, name, purpose: "value" } as const;
    const record = sealRecord(opened.dek, place, header, Secret.text(text(name)), session.random);
    return [name, { record, comments: [], line: 0 }];
  });
  return { [scopeFilePath(scope)]: printScopeFile(scope, new Map(entries)) };
}

async function read(files: Files, scope: ScopePath): Promise<string[]> {
  const tree = memoryTree(files);
  const keyring = await readKeyring(tree, scope);
  const values: string[] = [];
  for (const [name, { record }] of (await readScope(tree, scope)) ?? []) {
    const file = keyring.get(parseRecordHeader(record).generation);
    const opened = file && (await openGeneration(scope, file, identities));
    if (opened === undefined) return expect.fail(`${name} has no generation that opens`);
    values.push(openRecord(opened.dek, { scope, name, purpose: "value" }, record).revealText() ?? "");
  }
  return values.sort();
}

describe("planRekeys for many scopes", () => {
  it("shares the work out over threads, keeps every value in its place, and tells how far it is", async () => {
    const scopes = Array.from({ length: 130 }, (_, index) => parseScopePath(`dev/app-${index}`));
    const empty = Object.fromEntries(scopes.map((scope) => [scopeFilePath(scope), printScopeFile(scope, new Map())]));
    let files = await plan({ ...both, ...empty }, scopes);
    for (const scope of scopes)
      files = { ...files, ...(await fileOf(files, scope, (name) => `test-${scope}-${name}`)) };
    const progress: WriteProgress[] = [];
    const after = await plan(without({ ...files, ...alone }, "policies/members/bob.pub"), scopes, progress);
    for (const scope of scopes) {
      expect(await read(after, scope)).toEqual(names.map((name) => `test-${scope}-${name}`).sort());
      expect((await readKeyring(memoryTree(after), scope)).size).toBe(2);
    }
    expect(progress.at(0)).toEqual({ phase: "opening", done: 0, total: 130 });
    expect(progress.at(-1)).toEqual({ phase: "sealing", done: 130, total: 130 });
  });
});

function without(files: Files, path: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([key]) => key !== path));
}

describe("startSealPool", () => {
  const scope = parseScopePath("dev/app");
  const name = parseSecretName("API_KEY");
  const [source, target] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)];
  const header = { generation: "0".repeat(32), valueId: "0123456789abcdef", createdAt: 1_700_000_000 };
  const place = { scope, name, purpose: "value" } as const;
  const job: SealJob = {
    scope,
    recipients: [recipient.text],
    generations: [],
    entries: new Map([
      [
        name,
        { record: sealRecord(source, place, header, Secret.text("test-value"), session.random), comments: [], line: 0 },
      ],
    ]),
    target,
    records: [{ name, source, header, random: Buffer.alloc(32, 5) }],
  };

  it("does in a thread what is done here", async () => {
    const pool = startSealPool(2);
    try {
      const [here, there] = [await sealJob(job), await Promise.all([pool.seal(job), pool.seal(job), pool.seal(job)])];
      expect(here.map(({ path }) => path)).toEqual([scopeFilePath(scope)]);
      expect(there.map((files) => files.map(({ bytes }) => Buffer.from(bytes).toString("utf8")))).toEqual(
        Array(3).fill(here.map(({ bytes }) => Buffer.from(bytes).toString("utf8"))),
      );
    } finally {
      await pool.close();
    }
  });

  it("gives an error of ours as it was thrown, and goes on", async () => {
    const pool = startSealPool(1);
    try {
      const broken = { ...job, records: job.records.map((record) => ({ ...record, source: target })) };
      await expect(pool.seal(broken)).rejects.toMatchObject({
        code: "E_RECORD_INTEGRITY",
        exitCode: 6,
        message: expect.stringContaining("dev/app/API_KEY"),
      });
      expect(await pool.seal(job)).toHaveLength(1);
    } finally {
      await pool.close();
    }
  });

  it("fails aloud when a thread dies", async () => {
    const pool = startSealPool(1);
    const bug = { ...job, target: undefined };
    await expect(pool.seal(bug)).rejects.toThrow("no key for them");
    await expect(pool.seal(job)).rejects.toThrow("no key for them");
    await pool.close();
  });
});
