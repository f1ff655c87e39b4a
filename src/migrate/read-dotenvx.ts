import { openEcies } from "../crypto/ecies.ts";
import { SealtreeError } from "../errors.ts";
import { Secret } from "../secret/secret.ts";
import { type DotenvLine, readDotenvLines } from "./dotenv-lines.ts";
import { expandDotenvx } from "./expand-dotenvx.ts";
import type { SourceContents, SourceValue } from "./source-values.ts";

const prefix = "encrypted:";
const publicKeyName = /^DOTENV_PUBLIC_KEY(?:_|$)/;
const privateKeyName = /^DOTENV_PRIVATE_KEY(?:_|$)/;
const maxKeys = 100;

/**
 * The private keys of dotenvx: those in the environment (DOTENV_PRIVATE_KEY and with an environment's
 * name behind), and those in the text of a .env.keys file. A value may have several, joined by commas.
 */
export function findDotenvxKeys(
  env: Readonly<Record<string, string | undefined>>,
  keysFile: string | undefined,
): Buffer[] {
  const lists = Object.entries(env).flatMap(([name, value]) => (privateKeyName.test(name) ? [value ?? ""] : []));
  for (const { name, text } of keysFile === undefined ? [] : readDotenvLines(keysFile)) {
    if (privateKeyName.test(name)) lists.push(text);
  }
  const keys = new Set(lists.flatMap((list) => list.split(",")).map((key) => key.trim().toLowerCase()));
  const usable = [...keys].filter((key) => /^[0-9a-f]{64}$/.test(key));
  return usable.slice(0, maxKeys).map((key) => Buffer.from(key, "hex"));
}

/** What to do with a value that names variables or commands: work it out as dotenvx does, or keep the text. */
export type Expansions = "resolve" | "keep";

/**
 * Every value of a .env file of dotenvx, opened, and read as dotenvx reads it. Throws E_NO_ACCESS
 * when a sealed value has no key, E_SOURCE_INTEGRITY when none of the keys opens it,
 * E_INPUT_INVALID for values that only the environment or a command would make whole.
 */
export function readDotenvx(text: string, keys: readonly Buffer[], expansions: Expansions): SourceContents {
  const lines = readDotenvLines(text);
  const open = createOpener(keys);
  const read = lines.filter(({ name }) => !publicKeyName.test(name)).map((line) => ({ ...line, ...open(line) }));
  const expanded = expansions === "keep" ? undefined : expandDotenvx(read);
  const values = read.map(({ name, comments, text: written, isSealed }): SourceValue => {
    const final = expanded?.get(name);
    return {
      path: [name],
      secret: Secret.text(final?.value ?? written),
      type: "text",
      isOpen: !isSealed,
      comments: comments.map((line) => ({ text: line, isPrivate: false })),
      ...(final?.uses === undefined ? {} : { note: `made of ${final.uses.join(", ")}, as it is now` }),
    };
  });
  const leftOut = lines
    .filter(({ name }) => publicKeyName.test(name))
    .map(({ name }) => ({ path: [name], reason: "the public key of dotenvx" }));
  return { values, leftOut };
}

function createOpener(keys: readonly Buffer[]): (line: DotenvLine) => { text: string; isSealed: boolean } {
  let order = [...keys];
  return ({ name, text, quote }) => {
    if (!text.startsWith(prefix)) {
      return { text: quote === '"' ? text.replaceAll("\\t", "\t") : text, isSealed: false };
    }
    if (order.length === 0) {
      throw new SealtreeError("E_NO_ACCESS", "there is no private key for the .env file of dotenvx", {
        hints: ["name the file of keys: --keys .env.keys", "or set DOTENV_PRIVATE_KEY, or the one of its environment"],
      });
    }
    const sealed = Buffer.from(text.slice(prefix.length), "base64");
    for (const key of order) {
      const bytes = openEcies(key, sealed);
      if (bytes === undefined) continue;
      order = [key, ...order.filter((other) => other !== key)];
      return { text: Buffer.from(bytes).toString("utf8"), isSealed: true };
    }
    throw new SealtreeError("E_SOURCE_INTEGRITY", `none of the ${keys.length} private keys opens ${name}`, {
      hints: [
        "name the file of keys that belongs to it: --keys .env.keys",
        "or the line was changed: dotenvx get tells",
      ],
    });
  };
}
