import { Secret } from "../secret/secret.ts";

/** The value of an `Authorization` header with a token (RFC 6750, section 2.1). */
export function printBearer(token: Secret): Secret {
  return Secret.text(`Bearer ${(token.revealText() ?? "").trim()}`);
}

/** The value of an `Authorization` header with a name and a password (RFC 7617). */
export function printBasic(name: string, password: Secret): Secret {
  return Secret.text(`Basic ${Buffer.from(`${name}:${password.revealText() ?? ""}`).toString("base64")}`);
}
