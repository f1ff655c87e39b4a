import { encodeParts } from "../../src/crypto/pae.ts";
import { craftBinaryAgeFile } from "./craft-age-file.ts";
import { craftFrame } from "./craft-record.ts";
import { testScalar, testScope, testTime } from "./test-keys.ts";

/** What a drop is made of; each part can be one that no writer makes. */
export interface DropParts {
  readonly label?: string;
  readonly scope?: string;
  readonly name?: string;
  /** The header in the clear. */
  readonly header?: Uint8Array;
  /** The header in the payload. */
  readonly sealedHeader?: Uint8Array;
  readonly frame?: Uint8Array;
  readonly scalars?: readonly Uint8Array[];
  /** Changes the payload before it is sealed. */
  readonly change?: (payload: Buffer) => Uint8Array;
}

export const dropName = "STRIPE_KEY";
export const dropValue = Buffer.from("test value");

/** A header of 17 bytes, with any version and time. */
export function craftDropHeader(valueId = "5445535456414c31", createdAt = BigInt(testTime), version = 1): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(createdAt);
  return Buffer.concat([Buffer.of(version), Buffer.from(valueId, "hex"), time]);
}

/** A drop that is right but for the parts that are given. */
export function craftDrop({
  label = "sealtree/drop/v1",
  scope = testScope,
  name = dropName,
  header = craftDropHeader(),
  sealedHeader = header,
  frame = craftFrame(64, 1, dropValue.length, dropValue),
  scalars = [testScalar],
  change = (payload) => payload,
}: DropParts = {}): string {
  const payload = change(Buffer.from(encodeParts([label, scope, name, sealedHeader, frame])));
  return printDrop([header, craftBinaryAgeFile(scalars, payload)]);
}

/** `st1d.` and the parts in base64url. */
export function printDrop(parts: readonly Uint8Array[]): string {
  return `st1d.${Buffer.concat(parts).toString("base64url")}`;
}

/** The bytes of a drop, without any check. */
export function dropBytes(drop: string): Buffer {
  return Buffer.from(drop.slice(5), "base64url");
}
