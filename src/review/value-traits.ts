import { createHmac, X509Certificate } from "node:crypto";
import type { Secret } from "../secret/secret.ts";

/** What a reader can say of a value without saying the value. */
export interface ValueTraits {
  /** The same for equal values, under one `key`, and without it a random number to anybody. */
  readonly digest: string;
  /** Why it is easily guessed, in a few words; undefined for a value that is not. */
  readonly weakness: string | undefined;
  /** When the certificate or token in it expires; undefined where there is none. */
  readonly expiry: { readonly what: "certificate" | "token"; readonly atMs: number } | undefined;
}

/** Words that stand for a password somewhere; compared without case and without what stands around letters and digits. */
const defaultWords = new Set(
  "admin administrator changeit changeme default demo dummy example foobar guest hunter2 letmein master monkey pass passw0rd passwd password placeholder postgres qwerty root secret supersecret sample test testing toor todo user welcome xxx".split(
    " ",
  ),
);

const minChars = 8;
/** Below this many bits, by the frequency of its bytes, a value can be tried out. */
const minBits = 28;

/** Looks at a value. `key` is of this run alone, so that a digest says nothing outside of it. */
export function readTraits(secret: Secret, key: Uint8Array): ValueTraits {
  const bytes = secret.reveal();
  const text = secret.kind === "text" ? Buffer.from(bytes).toString("utf8") : undefined;
  return {
    digest: createHmac("sha256", key).update(secret.kind).update("\0").update(bytes).digest("base64"),
    weakness: text === undefined ? undefined : findWeakness(text),
    expiry: text === undefined ? undefined : (findCertificateExpiry(text) ?? findTokenExpiry(text)),
  };
}

function findWeakness(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return "it is empty";
  const word = trimmed.toLowerCase().replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  if (defaultWords.has(word) || defaultWords.has(word.replace(/[0-9]+$/, ""))) return "it is a default word";
  if (trimmed.length < minChars) return `it has less than ${minChars} characters`;
  return entropyBits(trimmed) < minBits ? "it repeats few characters" : undefined;
}

/** Shannon entropy of the characters, times how many there are. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, amount) => sum + amount, 0);
  return [...counts.values()].reduce((bits, amount) => bits - amount * Math.log2(amount / total), 0);
}

/** The first certificate to expire of those in a PEM text (RFC 7468). */
function findCertificateExpiry(text: string): ValueTraits["expiry"] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const times = blocks.flatMap((block) => {
    try {
      const atMs = Date.parse(new X509Certificate(block).validTo);
      return Number.isNaN(atMs) ? [] : [atMs];
    } catch {
      return [];
    }
  });
  return times.length === 0 ? undefined : { what: "certificate", atMs: Math.min(...times) };
}

/** The claim `exp` of a JSON Web Token (RFC 7519, 4.1.4), in seconds since 1970. Nothing is verified. */
function findTokenExpiry(text: string): ValueTraits["expiry"] {
  const [, header, payload] = /^\s*([A-Za-z0-9_-]{10,})\.([A-Za-z0-9_-]{2,})\.[A-Za-z0-9_-]*\s*$/.exec(text) ?? [];
  if (header === undefined || payload === undefined || typeof parsePart(header)?.["alg"] !== "string") return undefined;
  const exp = parsePart(payload)?.["exp"];
  return typeof exp === "number" && Math.abs(exp) < 8.64e12 ? { what: "token", atMs: exp * 1000 } : undefined;
}

function parsePart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
