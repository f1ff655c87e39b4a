import { createCipheriv } from "node:crypto";
import { craftContext, craftFrame, craftKeys, printRecord, type DerivedKeys } from "./craft-record.ts";
import type { RecordPlace } from "../../src/crypto/record.ts";
import { ghash, hashKey, invert, multiply, power, tagMask, toBlocks, toBytes } from "./ghash.ts";

export interface CollidingRecord {
  readonly record: string;
  readonly context: Uint8Array;
  /** The keys under which the one ciphertext and tag are valid. */
  readonly committed: DerivedKeys;
  readonly other: DerivedKeys;
}

/**
 * One AES-GCM ciphertext and tag that authenticate under the keys of two data keys
 * (Dodis et al., "Fast Message Franking", 2018; Albertini et al., "How to Abuse and Fix
 * Authenticated Encryption Without Key Commitment", 2022). It decrypts to a well-formed
 * frame under `otherDek`, and its commitment is the one of `committedDek`: an implementation
 * that does not compare commitments gives out a value for `otherDek`.
 *
 * Equal tags are one linear equation in the second block X of the ciphertext:
 * X (H1^4 + H2^4) = S1 + S2 + E1 + E2, where S is GHASH with X = 0 and E the mask.
 */
export function collidingRecord(
  committedDek: Uint8Array,
  otherDek: Uint8Array,
  place: RecordPlace,
  header: Uint8Array,
): CollidingRecord {
  const context = craftContext(place, header);
  const salt = Buffer.alloc(24, 0x53);
  const committed = craftKeys(committedDek, salt, context);
  const other = craftKeys(otherDek, salt, context);
  const frame = craftFrame(64, 2, 59, Buffer.alloc(59, 0x21));
  const ciphertext = createCipheriv("aes-256-gcm", other.key, other.nonce).update(frame);
  ciphertext.fill(0, 16, 32);

  const blocks = () => [...toBlocks(context), ...toBlocks(ciphertext), lengthBlock(context.length, ciphertext.length)];
  const [h1, h2] = [hashKey(committed.key), hashKey(other.key)];
  const [e1, e2] = [tagMask(committed.key, committed.nonce), tagMask(other.key, other.nonce)];
  const difference = ghash(h1, blocks()) ^ ghash(h2, blocks()) ^ e1 ^ e2;
  ciphertext.set(toBytes(multiply(difference, invert(power(h1, 4n) ^ power(h2, 4n)))), 16);
  const tag = toBytes(ghash(h1, blocks()) ^ e1);
  return { record: printRecord([header, salt, committed.commitment, ciphertext, tag]), context, committed, other };
}

function lengthBlock(associated: number, encrypted: number): bigint {
  return (BigInt(associated * 8) << 64n) | BigInt(encrypted * 8);
}
