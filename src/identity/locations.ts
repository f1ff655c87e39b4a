import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../git/place.ts";

/** The user's folder for sealtree's configuration: XDG_CONFIG_HOME, APPDATA on Windows, or ~/.config. */
function configDirectory(env: Environment): string {
  return join(baseDirectory(env, "XDG_CONFIG_HOME", "APPDATA", ".config"), "sealtree");
}

/** The user's folder for sealtree's state, such as the audit log: XDG_STATE_HOME, or ~/.local/state. */
export function stateDirectory(env: Environment): string {
  return join(baseDirectory(env, "XDG_STATE_HOME", "LOCALAPPDATA", join(".local", "state")), "sealtree");
}

/** The file that `keygen` and `init` write the user's own identity to. */
export function defaultIdentityFile(env: Environment): string {
  return join(configDirectory(env), "identity.txt");
}

/** The SSH keys that are looked at when there is no other identity, in this order. */
export function sshIdentityFiles(env: Environment): readonly string[] {
  return ["id_ed25519", "id_rsa"].map((name) => join(env["HOME"] || homedir(), ".ssh", name));
}

function baseDirectory(env: Environment, xdg: string, windows: string, fallback: string): string {
  const set = env[xdg] || (process.platform === "win32" ? env[windows] : undefined);
  return set ? set : join(env["HOME"] || homedir(), fallback);
}
