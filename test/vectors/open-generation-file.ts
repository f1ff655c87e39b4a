import { parseIdentities } from "../../src/crypto/identity.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { parseGenerationFile } from "../../src/store/generation-file.ts";
import { openGeneration } from "../../src/store/open-generation.ts";
import { hex, type Fields } from "./vector.ts";

export interface WrittenGeneration {
  readonly scope: string;
  /** The file's name, without `.yaml`. */
  readonly generation: string;
  /** age identity text. */
  readonly identity: string;
  readonly file: string;
}

/** What a generation file says and holds. Throws as the code does, and when no identity fits. */
export async function openGenerationFile(written: WrittenGeneration): Promise<Fields> {
  const scope = parseScopePath(written.scope);
  const file = parseGenerationFile(Buffer.from(written.file), scope, written.generation);
  const opened = await openGeneration(scope, file, parseIdentities(written.identity));
  if (opened === undefined) throw new Error("no identity fits");
  return {
    dek: hex(opened.dek),
    previous: file.previous ?? null,
    created: file.createdAt,
    minted_for: Object.fromEntries(file.mintedFor),
    wrapped_for: Object.fromEntries(file.wrappedFor),
  };
}
