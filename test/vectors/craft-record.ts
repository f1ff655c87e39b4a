import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { encodeParts } from "../../src/crypto/pae.ts";
import type { RecordHeader, RecordPlace } from "../../src/crypto/record.ts";

/** What a data key, a salt and a context give. */
export interface DerivedKeys {
  readonly key: Uint8Array;
  readonly commitment: Uint8Array;
  readonly nonce: Uint8Array;
}

/** A header's 33 bytes, with any time, also one that no writer may write. */
export function craftHeader(header: Omit<RecordHeader, "createdAt"> & { readonly createdAt: bigint }): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(header.createdAt);
  return Buffer.concat([Buffer.of(1), Buffer.from(header.generation, "hex"), Buffer.from(header.valueId, "hex"), time]);
}

/** The context of a place and a header. */
export function craftContext(place: RecordPlace, header: Uint8Array): Uint8Array {
  return encodeParts(["sealtree/value/v1", place.purpose, place.scope, place.name, header]);
}

function craftSalt(dek: Uint8Array, random: Uint8Array, context: Uint8Array, frame: Uint8Array): Uint8Array {
  const saltKey = Buffer.from(hkdfSync("sha256", dek, "", "sealtree/salt/v1", 32));
  return createHmac("sha256", saltKey)
    .update(encodeParts([random, context, frame]))
    .digest()
    .subarray(0, 24);
}

/** The three secrets a record is sealed with. */
export function craftKeys(dek: Uint8Array, salt: Uint8Array, context: Uint8Array): DerivedKeys {
  const info = Buffer.concat([Buffer.from("sealtree/value/v1\0"), createHash("sha256").update(context).digest()]);
  const okm = Buffer.from(hkdfSync("sha256", dek, salt, info, 76));
  return { key: okm.subarray(0, 32), commitment: okm.subarray(32, 64), nonce: okm.subarray(64) };
}

/** A frame of `size` bytes with any kind, stated length, value and padding. */
export function craftFrame(size: number, kind: number, length: number, value: Uint8Array, padding = 0): Buffer {
  const frame = Buffer.alloc(size, padding);
  frame[0] = kind;
  frame.writeUInt32BE(length, 1);
  frame.set(value, 5);
  return frame;
}

/** Seals `frame` as it is, right in every other way, so that only the frame can be at fault. */
export function craftRecord(dek: Uint8Array, place: RecordPlace, header: Uint8Array, frame: Uint8Array): string {
  const context = craftContext(place, header);
  const salt = craftSalt(dek, Buffer.alloc(32, 0x52), context, frame);
  const { key, commitment, nonce } = craftKeys(dek, salt, context);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  cipher.setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(frame), cipher.final()]);
  return printRecord([header, salt, commitment, ciphertext, cipher.getAuthTag()]);
}

/** `st1.` and the parts in base64url. */
export function printRecord(parts: readonly Uint8Array[]): string {
  return `st1.${Buffer.concat(parts).toString("base64url")}`;
}

/** The bytes of a record, without any check. */
export function recordBytes(record: string): Buffer {
  return Buffer.from(record.slice(4), "base64url");
}
