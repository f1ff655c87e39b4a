import type { Environment } from "../git/place.ts";

const names = /^(?:SEALTREE_IDENTITY|SOPS_AGE_KEY)$/i;
const text = /AGE-(?:SECRET-KEY|PLUGIN)-/i;

/** The environment without whatever holds an identity: those two variables, and each with an age identity in its value. */
export function withoutIdentities(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => !names.test(name) && !text.test(value ?? "")),
  );
}
