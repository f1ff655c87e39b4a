import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import * as cctv from "cctv-age";

/** What a vector expects of opening its file (C2SP CCTV, age). */
export type Verdict = "success" | "no match" | "HMAC failure" | "header failure" | "payload failure" | "armor failure";

/** One of the 143 vectors. */
export interface AgeVector {
  readonly name: string;
  readonly expect: Verdict;
  /** SHA-256 of the plaintext, hex. */
  readonly payload: string | undefined;
  readonly identities: readonly string[];
  readonly passphrases: readonly string[];
  readonly armored: boolean;
  readonly file: Buffer;
}

const verdicts = ["success", "no match", "HMAC failure", "header failure", "payload failure", "armor failure"];
const keys = ["expect", "payload", "identity", "passphrase", "armored", "compressed", "file key", "comment"];

/** Every vector of the package. Throws for one that this reader does not fully understand. */
export const ageVectors: readonly AgeVector[] = Object.entries(cctv as Record<string, unknown>)
  .filter((entry): entry is [string, Uint8Array] => entry[1] instanceof Uint8Array)
  .map(([name, bytes]) => readVector(name, Buffer.from(bytes)));

/** SHA-256, hex. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function readVector(name: string, bytes: Buffer): AgeVector {
  const end = bytes.indexOf("\n\n");
  const fields = bytes
    .toString("utf8", 0, end)
    .split("\n")
    .map((line): [string, string] => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
  const all = (key: string) => fields.filter((field) => field[0] === key).map((field) => field[1]);
  const expect = all("expect")[0] ?? "";
  if (!verdicts.includes(expect) || fields.some(([key]) => !keys.includes(key))) throw new Error(`unknown: ${name}`);
  const body = bytes.subarray(end + 2);
  return {
    name,
    expect: expect as Verdict,
    payload: all("payload")[0],
    identities: all("identity"),
    passphrases: all("passphrase"),
    armored: all("armored")[0] === "yes",
    file: all("compressed")[0] === "zlib" ? inflateSync(body) : body,
  };
}
