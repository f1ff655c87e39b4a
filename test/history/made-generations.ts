import type { ReaderList } from "../../src/crypto/generation.ts";
import type { ScopePath } from "../../src/secret/address.ts";
import { printGenerationFile } from "../../src/store/generation-file.ts";

/** One reader for each letter, with a fingerprint of its own. */
export function readersOf(letters: string): ReaderList {
  return new Map(letters.split("").map((letter) => [letter, [Buffer.alloc(8, letter).toString("hex")]]));
}

/** A generation file of the right form that opens for nobody: `letters` say for whom, `seal` tells one from another. */
export function makeGeneration(scope: ScopePath, id: string, letters: string, seal: number): string {
  const armor = Buffer.from(`test seal ${seal}`).toString("base64");
  return printGenerationFile(scope, {
    id,
    previous: undefined,
    createdAt: 1_700_000_000,
    mintedFor: readersOf("a"),
    wrappedFor: readersOf(letters),
    armored: `-----BEGIN AGE ENCRYPTED FILE-----\n${armor}\n-----END AGE ENCRYPTED FILE-----\n`,
  });
}
