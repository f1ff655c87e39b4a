import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { sealDrop } from "../../src/crypto/drop.ts";
import { encodeGeneration, generationId, hashReaders } from "../../src/crypto/generation.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { openRecord, sealRecord, type RecordPlace } from "../../src/crypto/record.ts";
import { parseScopePath, parseSecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { printGenerationFile } from "../../src/store/generation-file.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";

const scope = parseScopePath("prod/api");
const dek = randomBytes(32);
const generation = generationId(dek, scope);
const kinds = ["text", "binary"] as const;

const samples = fc.sample(
  fc.record({
    value: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 1000, maxLength: 5000 })),
    kind: fc.constantFrom(...kinds),
    name: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/),
    purpose: fc.constantFrom("value" as const, "pending" as const, "previous" as const),
    value_id: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((id) => Buffer.from(id).toString("hex")),
    created: fc.nat({ max: 253_402_300_799 }),
  }),
  200,
);

/** Runs a script of test/vectors/python; throws when python3 or one of its modules is missing. */
function python(script: string, input = ""): string {
  const path = fileURLToPath(new URL(`../vectors/python/${script}`, import.meta.url));
  const { status, stdout, stderr, error } = spawnSync("python3", ["-B", path], { input, maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${script} gave ${String(status)}: ${stdout.toString()}${stderr.toString()}`);
  return stdout.toString("utf8");
}

function ask(requests: readonly object[]): Record<string, unknown>[] {
  return JSON.parse(python("cross_check.py", JSON.stringify(requests))) as Record<string, unknown>[];
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("the Python implementation", () => {
  it("agrees with every published vector", () => {
    expect(python("check_vectors.py")).toMatch(/^[1-9][0-9]* passed, 0 failed\n$/);
  });

  it("opens what TypeScript sealed", () => {
    const requests = samples.map(({ value, kind, name, purpose, value_id, created }) => {
      const place: RecordPlace = { scope, name, purpose };
      const header = { generation, valueId: value_id, createdAt: created };
      const record = sealRecord(dek, place, header, Secret.of(value, kind), randomBytes);
      return { op: "open", dek: toHex(dek), ...place, record };
    });
    expect(ask(requests)).toEqual(samples.map(({ kind, value }) => ({ kind, value: toHex(value) })));
  });

  it("seals what TypeScript opens", () => {
    const requests = samples.map((sample) => ({
      ...sample,
      op: "seal",
      dek: toHex(dek),
      scope,
      generation,
      value: toHex(sample.value),
    }));
    const records = ask(requests).map(({ record }) => String(record));
    for (const [index, { name, purpose, kind, value }] of samples.entries()) {
      const secret = openRecord(dek, { scope, name, purpose }, records[index] ?? "");
      expect(secret.equals(Secret.of(value, kind))).toBe(true);
    }
  });

  it("does not open what TypeScript sealed for another secret", () => {
    const place: RecordPlace = { scope, name: "STRIPE_KEY", purpose: "value" };
    const header = { generation, valueId: "5445535456414c31", createdAt: 1 };
    const record = sealRecord(dek, place, header, Secret.text("test value"), randomBytes);
    expect(ask([{ op: "open", dek: toHex(dek), ...place, name: "OTHER", record }])).toEqual([{ failure: "integrity" }]);
  });

  it("opens drops that TypeScript sealed for X25519, and none for another secret", async () => {
    const [reader, other] = [await generateIdentity("x25519"), await generateIdentity("x25519")];
    const recipients = [other.recipient, reader.recipient];
    const requests = [];
    for (const { value, kind, name, value_id, created } of samples.slice(0, 50)) {
      const origin = { valueId: value_id, createdAt: created };
      const drop = await sealDrop({ recipients, mixing: "refused" }, { scope, name }, origin, Secret.of(value, kind));
      requests.push({ op: "open-drop", scope, name, identity: reader.identity, drop });
    }
    expect(ask(requests)).toEqual(
      samples
        .slice(0, 50)
        .map(({ value, kind, value_id, created }) => ({ value_id, created, stanzas: 2, kind, value: toHex(value) })),
    );
    expect(ask([{ ...requests[0], name: "OTHER_NAME" }])).toEqual([{ failure: "integrity" }]);
  });

  it("opens a generation file that TypeScript wrote for X25519", async () => {
    const [reader, other] = [await generateIdentity("x25519"), await generateIdentity("x25519")];
    const mintedFor = new Map([
      ["alice", ["0123456789012345"]],
      ["no", ["fedcba9876543210"]],
    ]);
    const payload = {
      dek,
      createdAt: 1_767_225_600,
      previous: undefined,
      mintedForHash: hashReaders(mintedFor),
      scope,
    };
    const armored = await encryptToRecipients(
      [other.recipient, reader.recipient],
      encodeGeneration(payload),
      "refused",
    );
    const file = printGenerationFile(scope, { ...payload, id: generation, mintedFor, wrappedFor: mintedFor, armored });
    const request = { op: "open-generation", scope, generation, file };
    expect(
      ask([
        { ...request, identity: reader.identity },
        { ...request, identity: other.identity },
      ]),
    ).toMatchObject([{ dek: toHex(dek), minted_for: Object.fromEntries(mintedFor) }, { dek: toHex(dek) }]);
  });

  it("reads a scope file that TypeScript wrote", () => {
    const names = ["yes", "B.c-d", "_a", "OFF", "n0"];
    const entry = (record: string) => ({ record, comments: [" a comment", ""], line: 0 });
    const entries = new Map(names.map((name, index) => [parseSecretName(name), entry(`st1.${"A".repeat(index + 1)}`)]));
    const [answer] = ask([{ op: "read-scope", scope, file: printScopeFile(scope, entries) }]);
    expect(answer?.["records"]).toEqual(
      [...entries]
        .map(([name, { record, comments }]) => ({ name: String(name), record, comments }))
        .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
    );
  });
});
