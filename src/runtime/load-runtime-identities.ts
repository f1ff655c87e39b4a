import { readFile } from "node:fs/promises";
import type { Identity } from "../crypto/identity.ts";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import type { OpenOptions } from "./repository.ts";

/**
 * The identities that a program reads with: those it gave, or else the user's own, as the command finds
 * them. Nobody is asked for a passphrase and no plugin is run. Throws E_NO_IDENTITY.
 */
export async function loadRuntimeIdentities(
  given: OpenOptions["identities"],
  env: Environment,
): Promise<readonly Identity[]> {
  if (given === undefined) {
    const { loadIdentities } = await import("../identity/load.ts");
    return (await loadIdentities({ env })).identities;
  }
  const identities: Identity[] = [];
  for (const [index, source] of given.entries()) {
    const name = "file" in source ? source.file : `identity ${index + 1} of the option`;
    identities.push(...(await readGiven(source, name)));
  }
  if (identities.length > 0) return identities;
  throw new SealtreeError("E_NO_IDENTITY", "the option identities has none", {
    hints: ["give { text } or { file }, or leave the option out for the user's own"],
  });
}

async function readGiven(source: { text: string } | { file: string }, name: string): Promise<readonly Identity[]> {
  const { readIdentities } = await import("../identity/read-identities.ts");
  const file = "file" in source ? source.file : undefined;
  const bytes = "file" in source ? await readBytes(source.file) : Buffer.from(source.text);
  const read = await readIdentities(bytes, { name, file, askPassphrase: askNobody });
  if ("identities" in read) return read.identities;
  throw new SealtreeError("E_NO_IDENTITY", `${name}: ${read.problem}`);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new SealtreeError("E_NO_IDENTITY", `${file} cannot be read (${errnoOf(error) ?? "unknown error"})`, {
      hints: ["name the file of an identity that this program may read"],
      cause: error,
    });
  }
}

async function askNobody(of: string): Promise<string> {
  throw new SealtreeError("E_NEEDS_TERMINAL", `the passphrase of ${of} is needed, and a program is never asked`);
}
