import { isSealtreeError } from "../errors.ts";
import { isSecretName, type ScopePath } from "../secret/address.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { listScopes } from "../store/keyring.ts";
import { scopeFilePath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { environmentName } from "../values/environment-name.ts";

/** A file that has the names of a scope, with values. */
export interface DecryptedView {
  readonly scope: ScopePath;
  /** One-based line of the first of them. */
  readonly line: number;
  /** How many names of the scope it has, of how many. */
  readonly found: number;
  readonly total: number;
}

/** Largest file that is looked at, in bytes; what decrypt and export print is smaller. */
const maxBytes = 1024 * 1024;
/** Fewer names are a coincidence. */
const minNames = 3;
/** The share of a scope's names from which on a file counts as a view of it. */
const share = 0.8;

/** A line of dotenv, of a shell, of GitHub's environment file, of flat YAML, and of JSON. */
const shapes = [
  /^(?:export )?([A-Za-z_][A-Za-z0-9_.-]*)(?:=|<<)(.*)$/gm,
  /^"?([A-Za-z_][A-Za-z0-9_.-]*)"?:[ \t]+(.*)$/gm,
  /"([A-Za-z_][A-Za-z0-9_.-]*)":\s*("(?:[^"\\]|\\.)*"|-?[0-9.]+)/g,
];
/** What stands for a value in an example or a template. */
const placeholder =
  /^(?:$|[$<{[%*]|st1d?\.|(?:change|replace|fill|insert|your|my|some|todo|tbd|dummy|example|placeholder|secret|x{3}|\.{3}|null$|~$))/i;

/** Names that have a value in plain sight in a file, to the line of each; empty for one that is too large or no text. */
export function listPlainNames(bytes: Uint8Array): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  const text = bytes.length > maxBytes ? undefined : decodeUtf8(bytes);
  if (text === undefined) return names;
  for (const shape of shapes) {
    for (const { 1: name = "", 2: value = "", index } of text.matchAll(shape)) {
      const bare = value.trim().replace(/^["']|["']$/g, "");
      if (names.has(name) || placeholder.test(bare)) continue;
      names.set(name, text.slice(0, index).split("\n").length);
    }
  }
  return names;
}

/**
 * The scope that a file looks like a decrypted view of: it has more than four fifths of its
 * names, three at least, each with a value. A guess, made by names alone.
 */
export function findView(
  names: ReadonlyMap<string, number>,
  scopes: ReadonlyMap<ScopePath, readonly string[]>,
): DecryptedView | undefined {
  if (names.size < minNames) return undefined;
  for (const [scope, own] of scopes) {
    const lines = own.flatMap((name) => {
      const line = names.get(name) ?? (isSecretName(name) ? names.get(environmentName(name)) : undefined);
      return line === undefined ? [] : [line];
    });
    if (lines.length < minNames || lines.length <= own.length * share) continue;
    return { scope, line: Math.min(...lines), found: lines.length, total: own.length };
  }
  return undefined;
}

/** The names in every scope of a tree, as far as its files can be read. */
export async function listScopeNames(tree: Tree): Promise<Map<ScopePath, readonly string[]>> {
  const found = new Map<ScopePath, readonly string[]>();
  try {
    for (const scope of await listScopes(tree)) {
      const text = Buffer.from((await tree.read(scopeFilePath(scope))) ?? []).toString("latin1");
      found.set(
        scope,
        [...text.matchAll(/^"?([A-Za-z_][A-Za-z0-9_.-]*)"?: st1d?\./gm)].map(([, name = ""]) => name),
      );
    }
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
  }
  return found;
}
