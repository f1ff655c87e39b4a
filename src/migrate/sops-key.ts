import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { decryptWithIdentities } from "../crypto/age.ts";
import type { Identity } from "../crypto/identity.ts";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { sshIdentityFiles } from "../identity/locations.ts";
import { maxIdentityFileBytes, readIdentities, type ReadOptions } from "../identity/read-identities.ts";
import type { SopsMetadata } from "./sops-metadata.ts";
import { sourceError } from "./source-tree.ts";

const dataKeyBytes = 32;
const maxSealedKeyBytes = 64 * 1024;

/**
 * The data key of a SOPS file, opened by the first of `identities` that fits. Throws E_NO_ACCESS
 * when none does, E_AGE_MALFORMED, and what a key that asks for something throws.
 */
export async function openDataKey(metadata: SopsMetadata, identities: readonly Identity[]): Promise<Uint8Array> {
  for (const sealed of metadata.sealedKeys) {
    const opened = await decryptWithIdentities(sealed, identities, { maxBytes: maxSealedKeyBytes });
    if (opened === undefined) continue;
    if (opened.plaintext.length !== dataKeyBytes) throw sourceError("the data key of the SOPS file has not 32 bytes");
    return opened.plaintext;
  }
  throw new SealtreeError("E_NO_ACCESS", "none of your identities opens the SOPS file", {
    hints: [
      "name the identity you use with sops: --keys FILE, or SOPS_AGE_KEY_FILE",
      "or ask somebody who can open the file to add you: sops updatekeys FILE",
    ],
  });
}

/** How identities of SOPS are read. */
export type SopsIdentityOptions = Pick<ReadOptions, "askPassphrase" | "plugins"> & { readonly env: Environment };

/**
 * The identities that SOPS would use: of `file` when it is named, and otherwise of SOPS_AGE_KEY,
 * SOPS_AGE_KEY_FILE, SOPS's own key file, SOPS_AGE_SSH_PRIVATE_KEY_FILE and the SSH keys in ~/.ssh.
 * Throws E_IDENTITY_INVALID, E_FILE_NOT_FOUND and E_IO for `file`; another place that holds none
 * gives none.
 */
export async function findSopsIdentities(
  options: SopsIdentityOptions,
  file: string | undefined,
): Promise<readonly Identity[]> {
  if (file !== undefined) return await readNamed(options, file);
  const { env } = options;
  const text = env["SOPS_AGE_KEY"] ?? "";
  const found: Identity[] = text === "" ? [] : [...(await readOrNone(options, Buffer.from(text), undefined))];
  for (const path of keyFiles(env)) {
    const bytes = readIfThere(path);
    if (bytes !== undefined) found.push(...(await readOrNone(options, bytes, path)));
  }
  return found;
}

async function readNamed(options: SopsIdentityOptions, file: string): Promise<readonly Identity[]> {
  const read = await readIdentities(readKeyFile(file), { ...options, name: file, file });
  if ("identities" in read) return read.identities;
  throw new SealtreeError("E_IDENTITY_INVALID", `the file of keys: ${read.problem}`, {
    hints: ["name a file with age identities, one a line, or an SSH private key"],
  });
}

async function readOrNone(
  options: SopsIdentityOptions,
  bytes: Buffer,
  file: string | undefined,
): Promise<readonly Identity[]> {
  const read = await readIdentities(bytes, { ...options, name: file ?? "SOPS_AGE_KEY", file });
  return "identities" in read ? read.identities : [];
}

function keyFiles(env: Environment): string[] {
  const home = env["HOME"] || homedir();
  const inHome = process.platform === "darwin" ? "Library/Application Support" : ".config";
  const own = join(env["XDG_CONFIG_HOME"] || join(home, inHome), "sops", "age", "keys.txt");
  const named = [env["SOPS_AGE_KEY_FILE"], own, env["SOPS_AGE_SSH_PRIVATE_KEY_FILE"]];
  return [...named.filter((path): path is string => path !== undefined && path !== ""), ...sshIdentityFiles(env)];
}

function readIfThere(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    return bytes.length > maxIdentityFileBytes ? undefined : bytes;
  } catch {
    return undefined;
  }
}

function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    if (code === "ENOENT")
      throw new SealtreeError("E_FILE_NOT_FOUND", "the file of keys is not there", { cause: error });
    throw new SealtreeError("E_IO", `the file of keys cannot be read (${code})`, { cause: error });
  }
}
