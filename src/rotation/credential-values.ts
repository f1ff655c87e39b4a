import { createHash } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type SecretName } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";
import { rotationPolicyPath } from "../store/layout.ts";
import type { Rule } from "./policy.ts";
import type { Credential } from "./rotators/provider.ts";

/** Values of the secrets of one rotation, by name. */
export type Values = ReadonlyMap<SecretName, Secret>;

/** The names of all secrets that one rotation changes: its own, and those that hold other parts. */
export function rotatedNames(address: Address, rule: Rule): SecretName[] {
  return [address.name, ...rule.companions.values()];
}

/**
 * The parts of a credential in `values`. What is not there, or not of the kind that the rule says,
 * gives no part, so that a value that was never a credential gives none.
 */
export function readParts(
  address: Address,
  rule: Rule,
  parts: readonly [string, ...string[]],
  values: Values,
): Record<string, Secret> {
  const found: Record<string, Secret> = {};
  const main = values.get(address.name);
  if (main !== undefined) Object.assign(found, readMain(rule, parts, main));
  for (const [part, name] of rule.companions) {
    const value = values.get(name);
    if (value !== undefined) found[part] = value;
  }
  return found;
}

/** The values that hold `credential`: what is in `values` besides its parts stays. */
export function writeParts(
  address: Address,
  rule: Rule,
  parts: readonly [string, ...string[]],
  values: Values,
  credential: Credential,
): Map<SecretName, Secret> {
  const written = new Map<SecretName, Secret>();
  const part = (name: string) => {
    const secret = credential.parts[name];
    if (secret === undefined) throw new Error(`the rotator ${rule.rotator} gave no ${name}`);
    return secret;
  };
  written.set(address.name, writeMain(address, rule, parts, values.get(address.name), credential));
  for (const [name, secret] of rule.companions) written.set(secret, part(name));
  return written;
}

/** Throws E_POLICY_INVALID unless the rule says where each of the parts that change is kept. */
export function checkPlaces(
  address: Address,
  rule: Rule,
  parts: readonly [string, ...string[]],
  changing: readonly string[],
): void {
  const [first] = parts;
  const inMain = rule.as === "plain" ? [first] : rule.as === "url" ? ["user", "password"] : parts;
  const homeless = changing.filter((part) => !inMain.includes(part) && !rule.companions.has(part));
  const strange = [...rule.companions.keys()].filter((part) => !parts.includes(part));
  const twice = new Set(rotatedNames(address, rule)).size < rotatedNames(address, rule).length;
  const what =
    homeless.length > 0
      ? `the rule does not say where the ${homeless.join(" and the ")} is kept, which changes too`
      : strange.length > 0
        ? `a credential of ${rule.rotator} has no part ${strange[0] ?? ""}`
        : twice
          ? "two parts of the credential are to be kept in one secret"
          : undefined;
  if (what === undefined) return;
  throw new SealtreeError("E_POLICY_INVALID", `${rotationPolicyPath}: ${printAddress(address)}: ${what}`, {
    file: rotationPolicyPath,
    hints: [`keep it beside, parts: { ${homeless[0] ?? "user"}: NAME }, or in the value itself, as: url or as: json`],
  });
}

/** Changes with anything that the rule says about how the value is made; 16 hex digits. */
export function fingerprintRule(rule: Rule): string {
  const said = [rule.rotator, rule.options, rule.as, [...rule.companions]];
  return createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 16);
}

function readMain(rule: Rule, parts: readonly [string, ...string[]], value: Secret): Record<string, Secret> {
  if (rule.as === "plain") return { [parts[0]]: value };
  const text = value.revealText() ?? "";
  if (rule.as === "url") {
    const url = findUrl(text);
    if (url === undefined) return {};
    return {
      user: Secret.text(decodeURIComponent(url.username)),
      password: Secret.text(decodeURIComponent(url.password)),
    };
  }
  const object = findObject(text);
  const entries = parts.map((part) => [part, object?.[part]] as const);
  return Object.fromEntries(
    entries.flatMap(([part, item]) => (typeof item === "string" ? [[part, Secret.text(item)]] : [])),
  );
}

function writeMain(
  address: Address,
  rule: Rule,
  parts: readonly [string, ...string[]],
  present: Secret | undefined,
  credential: Credential,
): Secret {
  const own = (part: string) => credential.parts[part];
  const [first] = parts;
  if (rule.as === "plain") return own(first) ?? Secret.text("");
  const text = present?.revealText() ?? "";
  if (rule.as === "json") {
    const held = parts.filter((part) => !rule.companions.has(part) && own(part) !== undefined);
    const object = present === undefined ? {} : findObject(text);
    if (object === undefined) throw unfit(address, "a JSON object");
    return Secret.text(
      JSON.stringify({ ...object, ...Object.fromEntries(held.map((part) => [part, own(part)?.revealText()])) }),
    );
  }
  const url = findUrl(text);
  if (url === undefined) throw unfit(address, "a URL with a user and a password");
  const set = (part: "user" | "password", key: "username" | "password") => {
    const secret = own(part)?.revealText();
    if (secret !== undefined) url[key] = encodeURIComponent(secret);
  };
  set("user", "username");
  set("password", "password");
  return Secret.text(url.href);
}

function findUrl(text: string): URL | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  try {
    decodeURIComponent(url.username + url.password);
    return url;
  } catch {
    return undefined;
  }
}

function findObject(text: string): Record<string, unknown> | undefined {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === "object" && data !== null && !Array.isArray(data) ? { ...data } : undefined;
  } catch {
    return undefined;
  }
}

function unfit(address: Address, what: string): SealtreeError {
  return new SealtreeError("E_VALUE_UNFIT", `the value of ${printAddress(address)} is not ${what}, as its rule says`, {
    hints: [`set one: sealtree set ${printAddress(address)}`, `or change as: in ${rotationPolicyPath}`],
  });
}
