import { createHash } from "node:crypto";
import { z } from "zod";
import { parseBase64url } from "../../src/crypto/base64url.ts";
import { openDrop } from "../../src/crypto/drop.ts";
import { decodeGeneration, generationId, hashReaders } from "../../src/crypto/generation.ts";
import { parseIdentities } from "../../src/crypto/identity.ts";
import { paddedLength } from "../../src/crypto/pad.ts";
import { encodeParts } from "../../src/crypto/pae.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { openRecord, parseRecordHeader, sealRecord } from "../../src/crypto/record.ts";
import { parseDropHeader } from "../../src/crypto/sealed-header.ts";
import { hasCode } from "../../src/errors.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { parseScopeFile } from "../../src/store/scope-file.ts";
import { openGenerationFile } from "./open-generation-file.ts";
import { openSqlRows } from "./open-sql-rows.ts";
import { hex, type Fields, type Verdict } from "./vector.ts";

export interface VectorOutcome {
  readonly expect: Verdict;
  readonly output?: Fields;
}

type Runner = (input: Fields) => Fields | undefined | Promise<Fields | undefined>;

const bytes = z.codec(z.hex(), z.instanceof(Uint8Array<ArrayBuffer>), { decode: z.util.hexToUint8Array, encode: hex });
const purpose = z.enum(["value", "pending", "previous"]);
const place = { dek: bytes, scope: z.string(), name: z.string(), purpose };
const kind = z.enum(["text", "binary"]);
const sealInput = z.object({
  ...place,
  kind,
  generation: z.string(),
  value_id: z.string(),
  created: z.int(),
  random: bytes,
  value: bytes.optional(),
  value_repeated: z.object({ byte: bytes, count: z.int() }).optional(),
});
const dropInput = z.object({ scope: z.string(), name: z.string(), identity: z.string(), drop: z.string() });
const openInput = z.object({ ...place, record: z.string() });
const readers = z.record(z.string(), z.array(z.string()));
const generationInput = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("id"), dek: bytes, scope: z.string() }),
  z.object({ kind: z.literal("readers"), readers }),
  z.object({ kind: z.literal("payload"), payload: bytes }),
]);
const generationFileInput = z.object({
  scope: z.string(),
  generation: z.string(),
  identity: z.string(),
  file: z.string(),
});
const scopeFileInput = z.object({ scope: z.string(), file: z.string().optional(), file_hex: bytes.optional() });

const runners: Readonly<Record<string, Runner>> = {
  "pae.json": (input) => ({ encoded: hex(encodeParts(z.object({ parts: z.array(bytes) }).parse(input).parts)) }),
  "pad.json": (input) => ({ padded: paddedLength(z.object({ length: z.int() }).parse(input).length) }),
  "base64url.json": (input) => {
    const parsed = parseBase64url(z.object({ text: z.string() }).parse(input).text);
    return parsed && { bytes: hex(parsed) };
  },
  "fingerprint.json": (input) => ({
    fingerprint: fingerprintOf(z.object({ recipient: z.string() }).parse(input).recipient),
  }),
  "generation.json": runGeneration,
  "generation-file.json": (input) => openGenerationFile(generationFileInput.parse(input)),
  "scope-file.json": runScopeFile,
  "seal.json": runSeal,
  "open.json": (input) => {
    const { dek, record, ...rest } = openInput.parse(input);
    const secret = openRecord(dek, rest, record);
    return { kind: secret.kind, value: hex(secret.reveal()) };
  },
  "drop.json": runDrop,
  "sql-row.json": openSqlRows,
};

/**
 * What our code makes of one input of a vector file. Throws on anything that is no verdict,
 * also when a sealed record does not open again.
 */
export async function runVector(file: string, input: Fields): Promise<VectorOutcome> {
  const run = runners[file];
  if (run === undefined) throw new Error(`nothing runs ${file}`);
  try {
    const output = await run(input);
    return output === undefined ? { expect: "malformed" } : { expect: "ok", output };
  } catch (error) {
    if (hasCode(error, "E_RECORD_INTEGRITY", "E_KEYRING_INTEGRITY")) return { expect: "integrity" };
    if (hasCode(error, ...malformedCodes)) return { expect: "malformed" };
    throw error;
  }
}

const malformedCodes = [
  "E_RECORD_MALFORMED",
  "E_SCOPE_MALFORMED",
  "E_SCOPE_MOVED",
  "E_CONFLICT_MARKERS",
  "E_KEYRING_MALFORMED",
  "E_AGE_MALFORMED",
] as const;

function runGeneration(written: Fields): Fields | undefined {
  const input = generationInput.parse(written);
  if (input.kind === "id") return { generation: generationId(input.dek, input.scope) };
  if (input.kind === "readers") return { hash: hex(hashReaders(new Map(Object.entries(input.readers)))) };
  const payload = decodeGeneration(input.payload);
  return (
    payload && {
      created: payload.createdAt,
      minted_for_hash: hex(payload.mintedForHash),
      scope: payload.scope,
      dek: hex(payload.dek),
      previous: payload.previous ?? null,
    }
  );
}

async function runDrop(written: Fields): Promise<Fields> {
  const { drop, identity, ...place } = dropInput.parse(written);
  const secret = await openDrop(drop, place, parseIdentities(identity));
  if (secret === undefined) throw new Error("no identity fits");
  const { valueId, createdAt, stanzas } = parseDropHeader(drop);
  return { value_id: valueId, created: createdAt, stanzas, kind: secret.kind, value: hex(secret.reveal()) };
}

function runScopeFile(written: Fields): Fields {
  const { scope, file, file_hex } = scopeFileInput.parse(written);
  const entries = parseScopeFile(file_hex ?? Buffer.from(file ?? "", "utf8"), parseScopePath(scope));
  return { records: [...entries].map(([name, { record, comments }]) => ({ name, record, comments })) };
}

function runSeal(written: Fields): Fields {
  const input = sealInput.parse(written);
  const repeated = input.value_repeated;
  const value = input.value ?? Buffer.alloc(repeated?.count ?? 0, repeated?.byte ?? "");
  const secret = Secret.of(value, input.kind);
  const header = { generation: input.generation, valueId: input.value_id, createdAt: input.created };
  const record = sealRecord(input.dek, input, header, secret, () => input.random);
  if (!openRecord(input.dek, input, record).equals(secret)) throw new Error("a sealed record opens to another value");
  if (JSON.stringify(parseRecordHeader(record)) !== JSON.stringify(header)) throw new Error("a header is not kept");
  return input.value === undefined
    ? { record_characters: record.length, record_sha256: createHash("sha256").update(record).digest("hex") }
    : { record };
}
