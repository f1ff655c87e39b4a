import { sign, type KeyObject } from "node:crypto";
import { Secret } from "../secret/secret.ts";

/** Claims signed by an RSA key: a JSON Web Token (RFC 7519) with RS256 (RFC 7518 section 3.3). */
export function printSignedToken(
  claims: Readonly<Record<string, string | number>>,
  key: KeyObject,
  keyId?: string,
): Secret {
  const header = { alg: "RS256", typ: "JWT", ...(keyId === undefined ? {} : { kid: keyId }) };
  const signed = [header, claims].map((it) => Buffer.from(JSON.stringify(it)).toString("base64url")).join(".");
  return Secret.text(`${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`);
}
