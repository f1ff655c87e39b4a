import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { encodeParts } from "../../src/crypto/pae.ts";
import { craftBinaryAgeFile } from "./craft-age-file.ts";
import { craftFrame } from "./craft-record.ts";
import { fixedRandom, testScalar } from "./test-keys.ts";
import { hex, type Fields } from "./vector.ts";

/** The key of the vectors that are sealed to one, and their integrity key: readable ASCII. */
export const testTableKey = Buffer.from("sealtree test table key, public!", "ascii");
export const testTableIntegrity = Buffer.from("sealtree test integrity, public!", "ascii");

/** What a crafted row is made of; everything can be wrong. */
export interface RowParts {
  readonly ownerType: string;
  readonly ownerId: string;
  readonly kind: string;
  readonly name: string;
  readonly sequence: number;
  readonly address: string;
  readonly fingerprint: string;
  readonly changedAtMs: number;
  readonly frame: Uint8Array;
  readonly wrapping: "key" | "age";
  readonly integrity: Uint8Array | "";
  /** The data key, 32 bytes in a row that is right. */
  readonly dek: Uint8Array;
}

/** A row as its columns, made from docs/targets/sql-format.md without our own code for rows. */
export interface CraftedRow {
  readonly name: string;
  readonly kind: string;
  readonly address: string | null;
  readonly fingerprint: string | null;
  readonly format: number;
  readonly sequence: number;
  readonly readers: string;
  readonly changed_at_ms: number;
  readonly wrapped_key: string;
  readonly sealed: string;
  readonly mac: string;
}

export function craftRow(parts: RowParts): CraftedRow {
  const { ownerType, ownerId, kind, name, sequence, wrapping, dek } = parts;
  const random = fixedRandom(`table row ${kind} ${name} ${sequence}`);
  const context = encodeParts(["sealtree/sql/v1", Buffer.of(1), ownerType, ownerId, kind, name, craftNumber(sequence)]);
  const nonce = random(12);
  const sealed = Buffer.concat([
    nonce,
    encrypt(derive(dek, "", "sealtree/sql/seal/v1", 32), nonce, context, parts.frame),
  ]);
  const wrapped = wrapping === "key" ? wrapWithKey(dek, context, random(32)) : wrapWithAge(dek);
  const readers = "00112233aabbccdd";
  const clear = [parts.address, parts.fingerprint, readers, craftNumber(parts.changedAtMs)];
  const mac = createHmac("sha256", derive(dek, parts.integrity, "sealtree/sql/mac/v1", 32))
    .update(encodeParts([context, ...clear, wrapped, sealed]))
    .digest();
  return {
    name,
    kind,
    address: parts.address,
    fingerprint: parts.fingerprint,
    format: 1,
    sequence,
    readers,
    changed_at_ms: parts.changedAtMs,
    wrapped_key: hex(wrapped),
    sealed: hex(sealed),
    mac: hex(mac),
  };
}

/** The frame that the row of an owner seals for these rows, in this order. */
export function craftDigestFrame(rows: readonly CraftedRow[]): Buffer {
  const parts = rows.map(({ name, kind, sequence, mac }) =>
    encodeParts([name, kind, craftNumber(sequence), Buffer.from(mac, "hex")]),
  );
  const digest = createHash("sha256")
    .update(encodeParts(["sealtree/sql/rows/v1", ...parts]))
    .digest();
  return craftFrame(64, 2, 32, digest);
}

/** A row in a vector. */
export function rowFields(row: CraftedRow): Fields {
  return { ...row };
}

function wrapWithKey(dek: Uint8Array, context: Uint8Array, salt: Uint8Array): Buffer {
  const okm = derive(testTableKey, salt, "sealtree/sql/wrap/v1", 44);
  return Buffer.concat([Buffer.of(1), salt, encrypt(okm.subarray(0, 32), okm.subarray(32), context, dek)]);
}

function wrapWithAge(dek: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(2), craftBinaryAgeFile([testScalar], dek)]);
}

function encrypt(key: Uint8Array, nonce: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  cipher.setAAD(context);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function derive(secret: Uint8Array, salt: Uint8Array | string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, length));
}

function craftNumber(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}
