import { lstatSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { errnoOf, hasCode, isSealtreeError } from "../../errors.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { isSecretName, parseSecretName } from "../../secret/address.ts";
import type { Secret } from "../../secret/secret.ts";
import { decodeUtf8 } from "../../secret/utf8.ts";
import type { Environment } from "../../git/place.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { checkNotTracked, writePlaintextFile } from "../../values/plaintext-file.ts";
import type { FileOptions } from "./dotenv.ts";
import { printFile, readFile, type FileContent, type FileEntry, type FileFormat } from "./environment-file.ts";
import type { Change, Found, OpenTarget, Progress } from "./target.ts";

const maxFileBytes = 16 * 1024 * 1024;
const noBytes = (size: number) => new Uint8Array(size);

/** True for a value that the format can hold. */
export function isFit(format: FileFormat, value: Secret): boolean {
  try {
    printFile(format, [{ name: parseSecretName("VALUE"), value, mark: undefined }], noBytes);
    return true;
  } catch (error) {
    if (hasCode(error, "E_VALUE_UNFIT")) return false;
    throw error;
  }
}

/** The file of a target. It is read anew for every step, and written as a whole. */
export function openFile({ file, format }: FileOptions, access: ServiceAccess): OpenTarget {
  const path = resolve(access.directory ?? ".", file);
  let isLeftOut = false;
  const check = async () => {
    if (!isLeftOut) await checkLeftOut(path, access.environment ?? {});
    isLeftOut = true;
  };
  return {
    async inspect(names) {
      await check();
      const content = readContent(path, format);
      if (content === undefined) return [];
      if (content.kind === "foreign") return names.map((name) => ({ name }));
      const wanted = new Set(names);
      return content.entries
        .filter(({ name, mark }) => mark !== undefined || wanted.has(name))
        .map(({ name, value, mark }): Found => ({ name, value, mark }));
    },
    async apply(change, progress) {
      await check();
      const entries = merge(readContent(path, format), change);
      if (entries.length === 0) rmSync(path, { force: true });
      else write(path, printFile(format, entries, access.random));
      tellAll(change, progress);
    },
    close: () => Promise.resolve(),
  };
}

/** What the file shall have: what is wanted, and what others put into a file of ours. */
function merge(content: Exclude<FileContent, { kind: "broken" }> | undefined, change: Change): FileEntry[] {
  const removed = new Set<string>(change.removes.map(({ name }) => name));
  const entries = new Map<string, FileEntry>();
  for (const entry of content?.kind === "ours" ? content.entries : [])
    if (!removed.has(entry.name)) entries.set(entry.name, entry);
  for (const { name, value, mark } of [...change.wanted, ...change.writes])
    if (isSecretName(name)) entries.set(name, { name, value, mark });
  return [...entries.values()];
}

/** Undefined when there is no file. Throws ProviderFailure for one that is not as it was written. */
function readContent(path: string, format: FileFormat): Exclude<FileContent, { kind: "broken" }> | undefined {
  const bytes = readBytes(path);
  if (bytes === undefined) return undefined;
  const text = decodeUtf8(bytes);
  const content = text === undefined ? ({ kind: "broken" } as const) : readFile(format, text);
  if (content.kind !== "broken") return content;
  throw new ProviderFailure("rejected", "the file was changed by hand into something that cannot be read", {
    hints: ["put it right, or remove it, and run the command again: it is written anew"],
  });
}

function readBytes(path: string): Uint8Array | undefined {
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    if (!status.isFile() || status.size > maxFileBytes)
      throw new ProviderFailure("rejected", "what is there is not a regular file of a fit size", {
        hints: ["name another file in the target"],
      });
    return readFileSync(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    throw new ProviderFailure("auth", `the file cannot be read (${code})`, { hints: ["look at its permissions"] });
  }
}

function write(path: string, text: string): void {
  try {
    writePlaintextFile(path, text);
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    throw new ProviderFailure("auth", "the file cannot be written", { hints: [error.message, ...error.hints] });
  }
}

async function checkLeftOut(path: string, env: Environment): Promise<void> {
  try {
    await checkNotTracked(path, env, "or name a file elsewhere in the target");
  } catch (error) {
    if (!hasCode(error, "E_PLAINTEXT_TRACKED")) throw error;
    const hints = error.hints.filter((hint) => !hint.includes("--allow-plaintext"));
    throw new ProviderFailure("rejected", error.message, { hints });
  }
}

function tellAll({ writes, removes }: Change, progress: Progress): void {
  for (const { name } of [...writes, ...removes]) progress.done(name);
}
