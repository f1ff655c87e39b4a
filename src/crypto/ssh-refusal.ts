import { SealtreeError } from "../errors.ts";
import type { SshPublicKey } from "./ssh-public-key.ts";
import { findSshFlaw } from "./ssh-strength.ts";

const makeAnother = "ssh-ed25519 and ssh-rsa keys can be used, or a key that sealtree keygen makes";

/** The failure to use a private key: what `name` is, and what to do. Neither holds anything of the key. */
export function refuseKey(name: string, what: string, ...hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_IDENTITY_INVALID", `${name} ${what}`, { hints });
}

/** The failure to read a file that should be a private key and is not well formed. */
export function refuseDamaged(name: string): SealtreeError {
  return refuseKey(
    name,
    "is damaged, or no SSH private key",
    "ssh-keygen -y -f FILE says whether ssh can read it",
    makeAnother,
  );
}

/** The failure to use a key of a type that age has no stanza for, such as `ECDSA`. */
export function refuseType(name: string, type: string): SealtreeError {
  return refuseKey(name, `holds a key of type ${type}, which age cannot use`, makeAnother);
}

/** Throws E_IDENTITY_INVALID for a public half that age does not encrypt to. */
export function checkUsable(name: string, key: SshPublicKey): void {
  if (key.type.startsWith("sk-")) {
    throw refuseKey(
      name,
      "belongs to a security key, which signs and cannot decrypt",
      "a security key can hold an identity through an age plugin, such as age-plugin-yubikey",
      makeAnother,
    );
  }
  if (key.type.startsWith("ecdsa-")) throw refuseType(name, "ECDSA");
  const flaw = findSshFlaw(key);
  if (flaw !== undefined) throw refuseKey(name, `cannot be used: the key ${flaw}`, makeAnother);
}
