import { base64Forms, hexForms, jsonForm, urlForms } from "../secret/encoded-forms.ts";
import { mayHaveReferences, splitReferences } from "../secret/reference.ts";
import type { Secret } from "../secret/secret.ts";

/** A value of the user's, and where it is sealed. */
export interface OwnValue {
  /** Such as `prod/api/STRIPE_KEY`. */
  readonly address: string;
  readonly secret: Secret;
  /** True for one that is not in force any more. */
  readonly isEarlier: boolean;
}

export type Encoding = "plain" | "line" | "UTF-16" | "base64" | "hex" | "URL" | "JSON";

/** Bytes that are looked for, and whose they are. */
export interface Needle {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  /** Addresses, sorted. */
  readonly addresses: readonly string[];
  readonly isEarlier: boolean;
  /** How many line ends are within it. */
  readonly lineEnds: number;
}

export interface WantedValues {
  readonly needles: readonly Needle[];
  /** How many values are looked for, and how many are not because they are short or common. */
  readonly searched: number;
  readonly passedOver: number;
}

export const defaultMinBytes = 8;
/** Of a form that is longer, so many bytes from its start are looked for. */
const maxNeedleBytes = 64 * 1024;
/** An encoded form of a short value may be shorter than this, and then stands in too many places. */
const minEncodedBytes = 8;
const fewestDifferentBytes = 4;
const longTokenChars = 20;

const commonWords = new Set(
  "0.0.0.0 127.0.0.1 admin administrator application/json changeme debug default dev develop development disabled enabled error example example.com example.org false guest http://localhost https://localhost info localhost main master none null off on password postgres postgresql prod production public root secret staging test testing true undefined unknown user username utf-8 warn warning yes".split(
    " ",
  ),
);

/**
 * What to look for so that each value is found as it is, without the white space at its ends, with
 * LF and CRLF, by any of its lines that looks random, in UTF-16, base64, base64url, hexadecimal
 * digits, a URL or a JSON string. A value is passed over when it is shorter than `minBytes`, a
 * common word, or has fewer than four different bytes; and when it has references, since the secrets that
 * they stand for are looked for by themselves, and the rest may stand in any template.
 */
export function collectWanted(values: Iterable<OwnValue>, minBytes = defaultMinBytes): WantedValues {
  const forms = new Map<string, { bytes: Buffer; encoding: Encoding; owners: OwnValue[] }>();
  let [searched, passedOver] = [0, 0];
  for (const value of values) {
    const bytes = Buffer.from(value.secret.reveal());
    const text = value.secret.revealText();
    if (isTooCommon(bytes, text, minBytes) || hasReferences(text)) {
      passedOver += 1;
      continue;
    }
    searched += 1;
    for (const [encoding, form] of text === undefined ? listBinary(bytes) : listText(bytes, text)) {
      const least = encoding === "plain" || encoding === "line" ? minBytes : Math.max(minBytes, minEncodedBytes);
      if (form.length < least) continue;
      const cut = form.length > maxNeedleBytes ? Buffer.from(form.subarray(0, maxNeedleBytes)) : form;
      const key = cut.toString("latin1");
      const known = forms.get(key) ?? { bytes: cut, encoding, owners: [] };
      known.owners.push(value);
      forms.set(key, known);
    }
  }
  return { needles: [...forms.values()].map(toNeedle), searched, passedOver };
}

/** A value in force hides the earlier ones that were the same. */
function toNeedle({ bytes, encoding, owners }: { bytes: Buffer; encoding: Encoding; owners: OwnValue[] }): Needle {
  const inForce = owners.filter(({ isEarlier }) => !isEarlier);
  const named = inForce.length > 0 ? inForce : owners;
  return {
    bytes,
    encoding,
    addresses: [...new Set(named.map(({ address }) => address))].toSorted(),
    isEarlier: inForce.length === 0,
    lineEnds: bytes.reduce((total, byte) => (byte === 10 ? total + 1 : total), 0),
  };
}

function isTooCommon(bytes: Buffer, text: string | undefined, minBytes: number): boolean {
  const trimmed = text?.trim();
  if ((trimmed === undefined ? bytes.length : Buffer.byteLength(trimmed)) < minBytes) return true;
  if (new Set(bytes).size < fewestDifferentBytes) return true;
  return (
    trimmed !== undefined && (commonWords.has(trimmed.toLowerCase()) || /^[a-z]{2}-[a-z]{3,12}-[0-9]$/.test(trimmed))
  );
}

function hasReferences(text = ""): boolean {
  return mayHaveReferences(text) && splitReferences(text).some(({ kind }) => kind === "reference");
}

type Form = readonly [Encoding, Buffer];

function listBinary(bytes: Buffer): Form[] {
  return [["plain", bytes], ...encode("base64", base64Forms(bytes)), ...encode("hex", hexForms(bytes))];
}

function listText(bytes: Buffer, text: string): Form[] {
  const trimmed = text.trim();
  const unix = trimmed.replaceAll("\r\n", "\n");
  const texts = [...new Set([text, trimmed, unix, unix.replaceAll("\n", "\r\n")])];
  const whole = [bytes, ...texts.map((form) => Buffer.from(form))];
  return [
    ...encode("plain", whole),
    ...encode("line", listTellingLines(text)),
    ...encode("JSON", texts.map(jsonForm)),
    ...encode("URL", texts.flatMap(urlForms)),
    ...encode("base64", whole.flatMap(base64Forms)),
    ...encode("hex", whole.flatMap(hexForms)),
    ...encode(
      "UTF-16",
      texts.map((form) => Buffer.from(form, "utf16le")),
    ),
  ];
}

function encode(encoding: Encoding, forms: readonly (string | Buffer)[]): Form[] {
  return forms.map((form) => [encoding, Buffer.from(form as string)]);
}

/** Every ed25519 key that OpenSSH writes without a passphrase begins with the same line. */
const sharedLine = /^b3BlbnNzaC1rZXktdjE/;

/**
 * The lines of a text of several that can hardly stand anywhere else: they have a long run of
 * letters and digits of many kinds. `-----BEGIN CERTIFICATE-----` is none.
 */
function listTellingLines(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  if (lines.filter((line) => line !== "").length < 2) return [];
  return lines.filter(
    (line) => !sharedLine.test(line) && [...line.matchAll(/[A-Za-z0-9+=_-]+/g)].some(([run]) => isRandom(run)),
  );
}

function isRandom(run: string): boolean {
  return run.length >= longTokenChars && /[0-9]/.test(run) && /[A-Za-z]/.test(run) && new Set(run).size >= 10;
}
