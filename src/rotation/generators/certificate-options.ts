import { isIP } from "node:net";
import { z } from "zod";
import { fitsKey, signingKeyFields, signingKeyName, type SigningKeyOptions } from "./key-pair.ts";

/** Whom a certificate is about. */
export interface CertificateSubject {
  readonly cn: string;
  readonly o?: string;
  readonly ou?: string;
  /** Two letters (ISO 3166). */
  readonly c?: string;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

export interface RequestOptions extends SigningKeyOptions, CertificateSubject {
  /** Whether the value is key and public half, or the key alone. */
  readonly bundle: boolean;
}

export interface CertificateOptions extends RequestOptions {
  readonly days: number;
}

const maxNames = 100;
// The upper bounds of RFC 5280, appendix A.1.
const attribute = z.string().regex(/^(?! )\P{C}{1,64}(?<! )$/u);
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const dnsName = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:\\*\\.)?(?:${label}\\.)*${label}$`, "i"));
/** An address without a zone, and without an IPv4 address at the end of an IPv6 one. */
const ipAddress = z.string().refine((text) => isIP(text) === 4 || (isIP(text) === 6 && /^[0-9a-f:]+$/i.test(text)));
const uri = z
  .string()
  .max(2048)
  .regex(/^[a-z][a-z0-9+.-]*:[!#-;=?-[\]_a-z~]+$/i);
const email = z
  .string()
  .max(254)
  .regex(/^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9.-]+$/i);

const fields = {
  cn: attribute,
  o: attribute.exactOptional(),
  ou: attribute.exactOptional(),
  c: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .exactOptional(),
  dns: z.array(dnsName).max(maxNames).default([]),
  ip: z.array(ipAddress).max(maxNames).default([]),
  uri: z.array(uri).max(maxNames).default([]),
  email: z.array(email).max(maxNames).default([]),
  key: signingKeyName.default("ecdsa"),
  ...signingKeyFields,
  bundle: z.boolean().default(true),
};

/** Options of a certificate request, without the time that only a certificate has. */
export const requestOptions = z.strictObject(fields).refine(fitsKey);

export const certificateOptions = z
  .strictObject({ ...fields, days: z.int().min(1).max(3650).default(365) })
  .refine(fitsKey);

/** How a spec in one text writes them; lists are joined by `+`. */
export const subjectTextOptions = {
  cn: "text",
  o: "text",
  ou: "text",
  c: "text",
  dns: "list",
  ip: "list",
  uri: "list",
  email: "list",
} as const;

export const subjectHelp = [
  "cn=NAME (needed)",
  "o=ORGANISATION",
  "ou=UNIT",
  "c=COUNTRY",
  "dns=NAME+NAME",
  "ip=ADDRESS+ADDRESS",
  "uri=URI+URI",
  "email=ADDRESS+ADDRESS",
  "key=ecdsa (or ed25519, rsa)",
  "bits=3072 (of rsa)",
  "curve=p256 (of ecdsa; or p384, p521)",
];
