import { statSync } from "node:fs";
import type { Identity } from "../crypto/identity.ts";
import { pluginOf } from "../crypto/plugin-identity.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { isSealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import type { IdentitySource } from "../identity/load.ts";
import { findPluginProgram } from "../identity/plugin-program.ts";
import { fail, ok, warn, type Diagnosis } from "./diagnosis.ts";

/** Who may read the file of a source; nothing for one that is not there or holds no secret. */
export function diagnosePermissions({ file, kind, isBroken }: IdentitySource): Diagnosis[] {
  // A reference to the keychain is no secret.
  if (file === undefined || kind === "keychain") return [];
  const status = process.platform === "win32" ? undefined : statOrNone(file);
  if (status?.isFile() !== true || (kind === undefined && !isBroken)) return [];
  const name = "identity file";
  if ((status.mode & 0o077) === 0) return [ok(name, `${file} is yours alone`)];
  const mend = `chmod 600 '${file}'`;
  return kind === "passphrase"
    ? [warn(name, `${file} can be read by others, who may try passphrases on it`, mend)]
    : [fail(name, `${file} can be read by others`, `${mend}; if others use this machine, make a new key`)];
}

function statOrNone(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether the plugins of `identities` are there; one in the work tree at `root` is not trusted. */
export function diagnosePlugins(
  env: Environment,
  identities: readonly Identity[],
  root: string | undefined,
): Diagnosis[] {
  const names = [...new Set(identities.flatMap((identity) => pluginOf(identity) ?? []))];
  return names.map((name) => {
    try {
      return ok("plugin", `age-plugin-${name} is ${findPluginProgram(name, env, root)}`);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      return fail("plugin", error.message, error.hints[0] ?? `install age-plugin-${name}`);
    }
  });
}

/** Whether the keychain can be reached and has the key that a reference stands for. */
export async function diagnoseKeychain(key: Identity): Promise<Diagnosis> {
  const [recipient] = await key.recipients();
  const fingerprint = fingerprintOf(recipient?.text ?? "");
  try {
    const { findInKeychain } = await import("../identity/keychain.ts");
    if ((await findInKeychain(fingerprint)) !== undefined) return ok("keychain", `it has the key ${fingerprint}`);
    return fail(
      "keychain",
      `it has no key ${fingerprint}`,
      "the file refers to a key that was removed: sealtree keygen -o FILE",
    );
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return fail("keychain", error.message, error.hints[0] ?? "unlock it");
  }
}
