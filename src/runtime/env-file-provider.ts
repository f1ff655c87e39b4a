import { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import type { Tree } from "../store/tree.ts";
import { environmentName } from "../values/environment-name.ts";
import type { Provider } from "./provider.ts";

/**
 * A .env file of the repository. A secret stands in it under its own name or under its variable's; the
 * scope is no part of either. A file that is not there has nothing. Throws E_INPUT_INVALID with the
 * line for one that cannot be understood.
 */
export function envFileProvider(tree: Pick<Tree, "read">, file: string): Provider {
  return {
    name: file,
    isOptional: true,
    takes: () => true,
    async read(addresses) {
      const entries = await readEntries(tree, file);
      return new Map(
        addresses.flatMap((address) => {
          const value = findEntry(entries, address);
          return value === undefined ? [] : [[printAddress(address), { value }] as const];
        }),
      );
    },
  };
}

function findEntry(entries: ReadonlyMap<string, Secret>, { name }: Address): Secret | undefined {
  return entries.get(name) ?? entries.get(environmentName(name));
}

async function readEntries(tree: Pick<Tree, "read">, file: string): Promise<ReadonlyMap<string, Secret>> {
  const bytes = await tree.read(file);
  if (bytes === undefined) return new Map();
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", `${file} is no text in UTF-8`, { file });
  const { parseDotenv } = await import("../values/dotenv-text.ts");
  return parseDotenv(text);
}
