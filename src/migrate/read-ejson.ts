import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importX25519Key, type X25519Key } from "../crypto/age-x25519.ts";
import { openBox } from "../crypto/nacl-box.ts";
import { errnoOf, SealtreeError } from "../errors.ts";
import { Secret } from "../secret/secret.ts";
import { readJsonTree } from "./json-tree.ts";
import { plainLeaf, readTree } from "./read-tree.ts";
import { findItem, type SourceBranch, sourceError, textOf } from "./source-tree.ts";
import { printSourcePath, type SourceContents } from "./source-values.ts";

const publicKeyName = "_public_key";
const boxed = /^EJ\[1:([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{32}):([A-Za-z0-9+/=]+)\]$/;
const defaultFolder = "/opt/ejson/keys";

/** Where the private key of an EJSON file comes from. */
export type EjsonKeySource =
  | { readonly from: "text"; readonly text: string }
  | { readonly from: "folder"; readonly folder: string };

/** The folder that ejson looks in: EJSON_KEYDIR, or /opt/ejson/keys. */
export function ejsonFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env["EJSON_KEYDIR"] || defaultFolder;
}

/** An EJSON file as parsed, and its public key in hex. Throws E_INPUT_INVALID for a file that is none. */
export function parseEjson(text: string): { readonly tree: SourceBranch; readonly publicKey: string } {
  const tree = readJsonTree(text);
  const publicKey = textOf(findItem(tree, publicKeyName))?.toLowerCase();
  if (publicKey === undefined || !/^[0-9a-f]{64}$/.test(publicKey)) {
    throw sourceError("the file is not an EJSON file: it has no _public_key of 64 hex digits");
  }
  return { tree, publicKey };
}

/**
 * Every value of an EJSON file, opened with its private key. A text that is not sealed, below a name
 * that begins with `_` or not yet encrypted, is taken as it is. Throws E_NO_ACCESS, E_SOURCE_INTEGRITY
 * for a value that the key does not open, and E_INPUT_INVALID.
 */
export function readEjson(text: string, source: EjsonKeySource): SourceContents {
  const { tree, publicKey } = parseEjson(text);
  const key = importKey(source, publicKey);
  const items = tree.items.filter((item) => item.key !== publicKeyName);
  const contents = readTree({ ...tree, items }, (leaf, name, path) => {
    const match = leaf.type === "text" && !name.startsWith("_") ? boxed.exec(leaf.text) : null;
    if (match === null) return plainLeaf(leaf);
    const [sender, nonce, box] = [match[1], match[2], match[3]].map((part) => Buffer.from(part ?? "", "base64"));
    const opened = openBox(key, sender ?? Buffer.alloc(0), nonce ?? Buffer.alloc(0), box ?? Buffer.alloc(0));
    if (opened === undefined) {
      throw new SealtreeError("E_SOURCE_INTEGRITY", `${printSourcePath(path)} is not opened by the file's own key`, {
        hints: ["somebody changed the file without ejson; look at its history"],
      });
    }
    return { secret: Secret.fromBytes(opened), type: "text", isOpen: false };
  });
  return { ...contents, leftOut: [...contents.leftOut, { path: [publicKeyName], reason: "the public key of ejson" }] };
}

function importKey(source: EjsonKeySource, publicKey: string): X25519Key {
  const text = (source.from === "text" ? source.text : readKey(source.folder, publicKey)).trim();
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw sourceError("the private key for ejson is not 64 hex digits");
  const key = importX25519Key(Buffer.from(text, "hex"));
  if (Buffer.from(key.publicKey).toString("hex") !== publicKey) {
    throw new SealtreeError("E_NO_ACCESS", "the private key is not that of the EJSON file", {
      hints: ["give the key whose public half is the file's _public_key"],
    });
  }
  return key;
}

function readKey(folder: string, publicKey: string): string {
  try {
    return readFileSync(join(folder, publicKey), "utf8");
  } catch (error) {
    throw new SealtreeError(
      "E_NO_ACCESS",
      `the private key of the EJSON file cannot be read (${errnoOf(error) ?? "error"})`,
      {
        hints: ["name the folder of keys: --keys DIR, or EJSON_KEYDIR", "or hand the key over on stdin: --keys - FILE"],
        cause: error,
      },
    );
  }
}
