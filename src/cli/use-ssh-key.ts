import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import { findIdentities } from "../identity/load.ts";
import { sshIdentityFiles } from "../identity/locations.ts";
import { readIdentities } from "../identity/read-identities.ts";
import type { Context } from "./context.ts";

/**
 * Shows the recipient of an SSH key, and whether sealtree finds the key by itself; writes
 * nothing. Without `given` it is the first of the default keys. Throws E_FILE_NOT_FOUND, E_IO and E_IDENTITY_INVALID.
 */
export async function useSshKey(context: Context, given: string | undefined): Promise<void> {
  const { askPassphrase, io, session } = context;
  const candidates = given === undefined ? sshIdentityFiles(io.env) : [resolve(context.directory, given)];
  const { file, bytes } = readFirst(candidates);
  const read = await readIdentities(bytes, { name: file, file, askPassphrase });
  if ("problem" in read) throw invalid(read.problem);
  if (read.kind !== "ssh") throw invalid("that is not an SSH private key");
  const [recipient] = (await read.identities[0]?.recipients()) ?? [];
  if (recipient === undefined) {
    throw invalid("the key is encrypted and does not tell its public half", [
      `put it beside the key: ssh-keygen -y -f ${file} > ${file}.pub`,
    ]);
  }
  if (context.options.json) {
    context.json({ file, recipient: recipient.text, kind: recipient.kind, store: "ssh" });
    return;
  }
  const { sources } = await findIdentities({ env: io.env, askPassphrase, plugins: () => session.plugins() });
  const isFound = sources.some((source) => source.kind === "ssh" && resolve(source.file ?? "") === file);
  const other = sources.find(({ identities }) => identities.length > 0);
  context.say(`your SSH key ${file}`);
  if (isFound) context.say("sealtree finds it by itself; there is nothing to write");
  else {
    if (other !== undefined) context.say(`sealtree uses another identity, ${other.outcome} in ${other.place}`);
    context.say(`to use this one, put into your shell's profile: export SEALTREE_IDENTITY_FILE='${file}'`);
  }
  context.say("an SSH key is not post-quantum: git history sealed to it may be read by a future quantum computer");
  context.line(recipient.text);
}

function readFirst(candidates: readonly string[]): { file: string; bytes: Buffer } {
  for (const file of candidates) {
    try {
      return { file, bytes: readFileSync(file) };
    } catch (error) {
      const code = errnoOf(error) ?? "unknown error";
      if (code !== "ENOENT") {
        throw new SealtreeError("E_IO", `the SSH key cannot be read (${code})`, { cause: error });
      }
    }
  }
  throw new SealtreeError("E_FILE_NOT_FOUND", "there is no such SSH key", {
    hints: ["make one: ssh-keygen -t ed25519", "or a post-quantum key, without SSH: sealtree keygen"],
  });
}

function invalid(what: string, hints: readonly string[] = ["name another: sealtree keygen --ssh FILE"]): SealtreeError {
  return new SealtreeError("E_IDENTITY_INVALID", what, { hints });
}
