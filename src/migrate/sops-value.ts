import { createDecipheriv } from "node:crypto";
import type { SourceType } from "./source-tree.ts";

/** A value that SOPS sealed, opened. */
export interface SopsValue {
  readonly bytes: Buffer;
  readonly type: SourceType | "comment";
  /** The bytes that go into the file's authentication code. */
  readonly authenticated: Buffer;
}

const pattern = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/s;
const tagBytes = 16;

const types: Readonly<Record<string, SopsValue["type"]>> = {
  str: "text",
  int: "integer",
  int64: "integer",
  float: "float",
  bool: "boolean",
  time: "time",
  bytes: "binary",
  comment: "comment",
};

/** True for text of the form SOPS gives a sealed value. */
export function isSopsCiphertext(text: string): boolean {
  return pattern.test(text);
}

/**
 * What `text` holds, sealed with AES-256-GCM under the data key for the place `keys`. Undefined
 * when it is not of SOPS's form, of a type it does not know, or sealed for another place or key.
 * An empty text is an empty text: SOPS leaves it as it is.
 */
export function openSopsValue(text: string, dataKey: Uint8Array, keys: readonly string[]): SopsValue | undefined {
  return openSopsText(text, dataKey, `${keys.join(":")}:`);
}

/** {@link openSopsValue} with the additional data itself. */
export function openSopsText(text: string, dataKey: Uint8Array, additional: string): SopsValue | undefined {
  if (text === "") return { bytes: Buffer.alloc(0), type: "text", authenticated: Buffer.alloc(0) };
  const match = pattern.exec(text);
  const type = types[match?.[4] ?? ""];
  if (match === null || type === undefined) return undefined;
  const [data, iv, tag] = [match[1], match[2], match[3]].map((part) => Buffer.from(part ?? "", "base64"));
  if (data === undefined || iv === undefined || tag?.length !== tagBytes || iv.length === 0) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", dataKey, iv, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(additional));
    decipher.setAuthTag(tag);
    const bytes = Buffer.concat([decipher.update(data), decipher.final()]);
    return { bytes, type, authenticated: authenticatedBytes(type, bytes) };
  } catch {
    return undefined;
  }
}

/** What SOPS authenticates of a value that is written as `text`. */
export function authenticatedText(type: SourceType, text: string): Buffer {
  return type === "binary" ? Buffer.from(text, "base64") : authenticatedBytes(type, Buffer.from(text));
}

function authenticatedBytes(type: SopsValue["type"], bytes: Buffer): Buffer {
  const text = bytes.toString("latin1");
  if (type === "integer" && /^[+-]?[0-9]+$/.test(text)) return Buffer.from(String(BigInt(text.replace(/^\+/, ""))));
  if (type === "float") return Buffer.from(printGoFloat(Number(text)));
  if (type === "boolean") return Buffer.from(/^(?:1|t|true)$/i.test(text) ? "True" : "False");
  return bytes;
}

/** A number as Go's strconv.FormatFloat(n, 'f', -1, 64): the shortest digits that read back, no exponent. */
export function printGoFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "0", exponentText = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponentText) + 1;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${"0".repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
