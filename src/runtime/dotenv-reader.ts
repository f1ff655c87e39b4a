import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { dotenvTarget } from "../deploy/targets/dotenv.ts";
import { readFile as parseTargetFile, type FileFormat } from "../deploy/targets/environment-file.ts";
import { errnoOf } from "../errors.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { parseDotenv } from "../values/dotenv-text.ts";
import type { OpenTargetReader } from "./target-reader.ts";

/** Values of a file that deploy wrote, in any of its formats, or of any .env file. It is read anew each time. */
export const openDotenvReader: OpenTargetReader = (written, access) => {
  const { file, format } = dotenvTarget.options.parse(written);
  const path = resolve(access.directory ?? ".", file);
  return Promise.resolve({
    async read(names) {
      const values = parseValues(await readBytes(path), format);
      const wanted = new Set(names);
      return new Map([...values].filter(([name]) => wanted.has(name)));
    },
  });
};

function parseValues(bytes: Uint8Array | undefined, format: FileFormat): ReadonlyMap<string, Secret> {
  if (bytes === undefined) return new Map();
  const text = decodeUtf8(bytes);
  const content = text === undefined ? undefined : parseTargetFile(format, text);
  if (content?.kind === "ours") return new Map(content.entries.map(({ name, value }) => [name, value]));
  if (content?.kind === "foreign" && format === "dotenv") return parseDotenv(text ?? "");
  throw new ProviderFailure("rejected", `the file is not one of the format ${format} that sealtree wrote`, {
    hints: ["deploy writes it anew: sealtree deploy"],
  });
}

async function readBytes(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    if (code === "ENOENT") return undefined;
    throw new ProviderFailure("auth", `the file cannot be read (${code})`, { hints: ["look at its permissions"] });
  }
}
