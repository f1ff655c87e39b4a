import { createHash } from "node:crypto";
import { parseSecretName, type SecretName } from "../../src/secret/address.ts";
import type { ScopeEntries, ScopeEntry } from "../../src/store/scope-file.ts";

/** A record that has the shape and the header of a real one, and opens nowhere. Small numbers name its value and its generation. */
export function makeRecord(value: number, generation: number): string {
  const bytes = Buffer.alloc(33 + 24 + 32 + 64 + 16);
  bytes[0] = 1;
  bytes.set(createHash("sha256").update(`generation ${generation}`).digest().subarray(0, 16), 1);
  bytes.writeBigUInt64BE(BigInt(value), 17);
  bytes.writeBigUInt64BE(1_700_000_000n + BigInt(value), 25);
  bytes.writeUInt32BE(generation, 40);
  return `st1.${bytes.toString("base64url")}`;
}

/** Scope entries from names to records, without comments unless given. */
export function makeEntries(
  records: Readonly<Record<string, string>>,
  comments: Readonly<Record<string, string[]>> = {},
): ScopeEntries {
  return new Map<SecretName, ScopeEntry>(
    Object.entries(records).map(([name, record]) => [
      parseSecretName(name),
      { record, comments: comments[name] ?? [], line: 0 },
    ]),
  );
}
