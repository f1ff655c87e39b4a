import { SealtreeError } from "../errors.ts";

/** A checked scope path, such as `prod/api`. Made only by {@link parseScopePath}. */
export type ScopePath = string & { readonly __brand: "ScopePath" };

/** A checked secret name, such as `STRIPE_KEY`. Made only by {@link parseSecretName}. */
export type SecretName = string & { readonly __brand: "SecretName" };

/** One secret in one scope, written `scope/NAME`. */
export interface Address {
  readonly scope: ScopePath;
  readonly name: SecretName;
}

const segmentPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const deviceName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/;
const maxSegments = 8;

/** True for one segment of a scope path. */
function isScopeSegment(text: string): boolean {
  return segmentPattern.test(text) && !deviceName.test(text);
}

/** True when `text` is a scope path of 1 to 8 segments. */
export function isScopePath(text: string): text is ScopePath {
  const segments = text.split("/");
  return segments.length <= maxSegments && segments.every(isScopeSegment);
}

/** True when `text` is a secret name. */
export function isSecretName(text: string): text is SecretName {
  return namePattern.test(text);
}

/**
 * The scope path in `text`. Throws E_SCOPE_INVALID. Like its siblings it does not repeat
 * `text`: somebody may have typed a value in the wrong place.
 */
export function parseScopePath(text: string): ScopePath {
  if (isScopePath(text)) return text;
  throw new SealtreeError("E_SCOPE_INVALID", "that is not a scope path", {
    hints: [
      "a scope is 1 to 8 segments of a-z, 0-9, _ and - joined by /, such as prod/api; Windows device names are not allowed",
    ],
  });
}

/** The secret name in `text`. Throws E_NAME_INVALID. */
export function parseSecretName(text: string): SecretName {
  if (isSecretName(text)) return text;
  throw new SealtreeError("E_NAME_INVALID", "the name is not a secret name", {
    hints: ["a name starts with a letter or _, and has letters, digits, _ . and -, at most 128"],
  });
}

/** The address in `text`; the last `/` splits scope and name. Throws E_ADDRESS_INVALID and kin. */
export function parseAddress(text: string): Address {
  if (text.includes("=")) {
    throw new SealtreeError("E_VALUE_IN_ARGUMENT", "a value is never an argument", {
      hints: ["give the address alone; the value comes from the prompt, --stdin, --from-file or --generate"],
    });
  }
  const slash = text.lastIndexOf("/");
  if (slash <= 0) {
    throw new SealtreeError("E_ADDRESS_INVALID", "the argument is not an address", {
      hints: ["an address is a scope, a / and a name, such as prod/api/STRIPE_KEY"],
    });
  }
  const name = parseSecretName(text.slice(slash + 1));
  return { scope: parseScopePath(text.slice(0, slash)), name };
}

/** True when `text` is the address of a secret. */
export function isAddress(text: string): boolean {
  const slash = text.lastIndexOf("/");
  return slash > 0 && isScopePath(text.slice(0, slash)) && isSecretName(text.slice(slash + 1));
}

/** `scope/NAME`. */
export function printAddress(address: Address): string {
  return `${address.scope}/${address.name}`;
}
