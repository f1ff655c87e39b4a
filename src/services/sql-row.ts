import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { hasCode, SealtreeError } from "../errors.ts";
import { decodeFrame, encodeFrame, frameHeaderBytes, maxFrameBytes } from "../crypto/frame.ts";
import { paddedLength } from "../crypto/pad.ts";
import { encodeParts } from "../crypto/pae.ts";
import type { RandomSource } from "../crypto/random.ts";
import { Secret } from "../secret/secret.ts";
import { type RowKeys, type RowReaders, readersId, unwrapRowKey, wrapRowKey } from "./sql-row-key.ts";

/** Whose rows they are: what kind of thing, such as `service`, and which one. */
export interface SqlOwner {
  readonly type: string;
  readonly id: string;
}

/** A value, the trace of one that was removed, or what an owner's rows are checked against. */
export type RowKind = "value" | "deleted" | "owner";

/** The clear columns of a row. All of them are bound to what is sealed. */
export interface RowHead {
  readonly owner: SqlOwner;
  readonly kind: RowKind;
  /** Empty for the kind `owner`. */
  readonly name: string;
  /** Grows with each commit that is deployed. */
  readonly sequence: number;
  /** `scope/NAME`, and which value of it; both empty for the kind `owner`. */
  readonly address: string;
  readonly fingerprint: string;
  /** When it was written, in milliseconds since 1970. */
  readonly changedAtMs: number;
}

/** A row as it is in the table. */
export interface SealedRow extends RowHead {
  /** Names whom it is sealed to, see {@link readersId}. */
  readonly readers: string;
  readonly wrappedKey: Uint8Array;
  /** Nonce, ciphertext and tag. */
  readonly sealed: Uint8Array;
  readonly mac: Uint8Array;
}

/** Who can open rows, and what else proves that we wrote them. */
export interface RowLock {
  readonly readers: RowReaders;
  /** 32 bytes that writers and readers share. Without, whoever may write in the table can make rows for known recipients. */
  readonly integrityKey?: Secret | undefined;
}

export interface RowOpener extends RowKeys {
  readonly integrityKey?: Secret | undefined;
}

/** The format of rows that this program reads and writes (docs/targets/sql-format.md). */
export const rowFormat = 1;

const [nonceBytes, tagBytes, macBytes] = [12, 16, 32];
const maxSealedBytes = nonceBytes + maxFrameBytes + tagBytes;

/** Seals a row under a fresh key. Throws E_VALUE_TOO_LARGE, and what encryptToRecipients throws. */
export async function sealRow(
  lock: RowLock,
  head: RowHead,
  secret: Secret,
  random: RandomSource = randomBytes,
): Promise<SealedRow> {
  const dek = random(32);
  const context = encodeContext(head);
  const nonce = random(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", sealKey(dek), nonce, { authTagLength: tagBytes });
  cipher.setAAD(context);
  const frame = encodeFrame({ scope: "the table", name: head.name }, secret);
  const sealed = Buffer.concat([nonce, cipher.update(frame), cipher.final(), cipher.getAuthTag()]);
  const wrappedKey = await wrapRowKey(lock.readers, dek, context, random);
  const row = { ...head, readers: readersId(lock.readers), wrappedKey, sealed };
  return { ...row, mac: macOf(dek, lock.integrityKey, row) };
}

/**
 * Opens a row as the one of this owner, kind and name. Releases nothing before every check passed.
 * Throws E_RECORD_MALFORMED, E_RECORD_INTEGRITY, and E_NO_ACCESS when none of the keys is for it,
 * which is also so for a wrapped key that was changed. No message holds a byte of the value.
 */
export async function openRow(opener: RowOpener, row: SealedRow): Promise<Secret> {
  checkShape(row);
  const context = encodeContext(row);
  const dek = await unwrapRowKey(opener, row.wrappedKey, context).catch((error: unknown) => {
    throw hasCode(error, "E_AGE_MALFORMED") ? integrityError(row) : error;
  });
  if (dek === undefined) {
    throw new SealtreeError("E_NO_ACCESS", `${what(row)} is sealed to none of the keys that are here`, {
      hints: ["it was sealed to others, or changed; give the identity of one of the recipients, or the key"],
    });
  }
  if (!timingSafeEqual(macOf(dek, opener.integrityKey, row), row.mac)) throw integrityError(row);
  const end = row.sealed.length - tagBytes;
  const nonce = row.sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", sealKey(dek), nonce, { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(row.sealed.subarray(end));
  let frame: Buffer;
  try {
    frame = Buffer.concat([decipher.update(row.sealed.subarray(nonceBytes, end)), decipher.final()]);
  } catch {
    throw integrityError(row);
  }
  const secret = decodeFrame(frame);
  if (secret === undefined) throw integrityError(row);
  return secret;
}

/** What the row of an owner seals: which rows there are, and which version of each. */
export function digestRows(rows: readonly Pick<SealedRow, "name" | "kind" | "sequence" | "mac">[]): Secret {
  const parts = rows
    .map((row) => ({ key: Buffer.from(row.name), row }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key))
    .map(({ key, row }) => encodeParts([key, row.kind, u64be(row.sequence), row.mac]));
  const digest = createHash("sha256").update(encodeParts(["sealtree/sql/rows/v1", ...parts]));
  return Secret.of(digest.digest(), "binary");
}

function checkShape(row: SealedRow): void {
  const frameBytes = row.sealed.length - nonceBytes - tagBytes;
  const isWhole =
    row.mac.length === macBytes &&
    row.sealed.length <= maxSealedBytes &&
    frameBytes >= frameHeaderBytes &&
    paddedLength(frameBytes) === frameBytes &&
    Number.isSafeInteger(row.sequence) &&
    row.sequence >= 0 &&
    Number.isSafeInteger(row.changedAtMs) &&
    row.changedAtMs >= 0;
  if (!isWhole) throw new SealtreeError("E_RECORD_MALFORMED", `${what(row)} is malformed`);
}

function encodeContext(head: RowHead): Uint8Array {
  const { owner, kind, name, sequence } = head;
  return encodeParts(["sealtree/sql/v1", Buffer.of(rowFormat), owner.type, owner.id, kind, name, u64be(sequence)]);
}

function sealKey(dek: Uint8Array): Uint8Array {
  return Buffer.from(hkdfSync("sha256", dek, "", "sealtree/sql/seal/v1", 32));
}

function macOf(dek: Uint8Array, integrityKey: Secret | undefined, row: Omit<SealedRow, "mac">): Buffer {
  const salt = integrityKey?.reveal() ?? "";
  const key = Buffer.from(hkdfSync("sha256", dek, salt, "sealtree/sql/mac/v1", 32));
  const clear = [row.address, row.fingerprint, row.readers, u64be(row.changedAtMs)];
  return createHmac("sha256", key)
    .update(encodeParts([encodeContext(row), ...clear, row.wrappedKey, row.sealed]))
    .digest();
}

function u64be(value: number): Uint8Array {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}

/** Names are of whoever may write in the table: they are repeated only when they are plain. */
function what({ kind, name }: RowHead): string {
  if (kind === "owner") return "the row of the owner";
  return /^[A-Za-z0-9_./-]{1,128}$/.test(name) ? `the row of ${name}` : "a row";
}

function integrityError(row: RowHead): SealtreeError {
  return new SealtreeError("E_RECORD_INTEGRITY", `${what(row)} was changed, or belongs elsewhere`, {
    hints: ["deploy again: it is written anew"],
  });
}
