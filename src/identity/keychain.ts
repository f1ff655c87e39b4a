import type { AsyncEntry } from "@napi-rs/keyring";
import { SealtreeError } from "../errors.ts";

/** What the keychain lists our keys under; the account is the fingerprint of the recipient. */
const service = "sealtree";

/**
 * Puts a private key's text into the keychain of the operating system: Keychain on macOS,
 * Credential Manager on Windows, the Secret Service elsewhere. Replaces the one of that
 * fingerprint. Throws E_KEYCHAIN_FAILED.
 */
export async function storeInKeychain(fingerprint: string, identity: string): Promise<void> {
  await withEntry(fingerprint, async (entry) => await entry.setSecret(Buffer.from(identity)));
}

/** The text of a private key in the keychain; undefined when there is none. Throws E_KEYCHAIN_FAILED. */
export async function findInKeychain(fingerprint: string): Promise<string | undefined> {
  const bytes = await withEntry(fingerprint, async (entry) => await entry.getSecret());
  return bytes === null ? undefined : Buffer.from(bytes).toString("utf8");
}

/** Takes a private key out of the keychain; false when it was not there. Throws E_KEYCHAIN_FAILED. */
export async function removeFromKeychain(fingerprint: string): Promise<boolean> {
  return await withEntry(fingerprint, async (entry) => await entry.deleteCredential());
}

async function withEntry<T>(fingerprint: string, use: (entry: AsyncEntry) => Promise<T>): Promise<T> {
  const { AsyncEntry } = await loadLibrary();
  try {
    // Without the store's name the library falls back to the kernel's keyring, which a restart empties.
    return await use(new AsyncEntry(service, fingerprint, { linux: { store: "secret-service" } }));
  } catch (error) {
    throw describeFailure(error);
  }
}

async function loadLibrary() {
  try {
    return await import("@napi-rs/keyring");
  } catch (error) {
    throw new SealtreeError("E_KEYCHAIN_FAILED", "the library for the keychain is not there, or not for this machine", {
      hints: ["install sealtree again with its dependencies, the optional ones too", ...otherWays],
      cause: error,
    });
  }
}

const otherWays = ["without a keychain: sealtree keygen --passphrase, or SEALTREE_IDENTITY_CMD"];

function describeFailure(error: unknown): SealtreeError {
  // The library's own words are looked at and not repeated.
  const isLocked = error instanceof Error && /locked|unlock|dismissed|not allowed|cancell?ed/i.test(error.message);
  return isLocked
    ? new SealtreeError("E_KEYCHAIN_FAILED", "the keychain is locked", {
        hints: ["unlock it, by logging in or in its own program, and run the command again", ...otherWays],
        cause: error,
      })
    : new SealtreeError("E_KEYCHAIN_FAILED", "the keychain cannot be reached", {
        hints: [
          ...(process.platform === "linux"
            ? ["it takes a session with D-Bus and a Secret Service, such as gnome-keyring or KWallet"]
            : []),
          ...otherWays,
        ],
        cause: error,
      });
}
