import { hashReaders, sameHash } from "../../crypto/generation.ts";
import type { Finding } from "../../store/finding.ts";
import type { GenerationFile } from "../../store/generation-file.ts";
import { generationPath } from "../../store/layout.ts";
import { restoreHint, sayBase } from "../say-base.ts";
import type { Rule } from "../rule.ts";

export const keyringAppendOnly: Rule = {
  name: "keyring-append-only",
  describe: "No generation of the base is gone, and none has another previous, created or minted_for than there.",
  checkScope({ scope, earlier, keyring }, { base }) {
    if (base === undefined) return [];
    return [...earlier].flatMap(([id, before]) => {
      const now = keyring.get(id);
      const file = generationPath(scope, id);
      return (now === undefined ? [] : listChanges(before, now)).map(({ line, field }) =>
        report(file, line, `${field} never changes, and was another in ${sayBase(base)}`, restoreHint(base, file)),
      );
    });
  },
  checkTree({ base, goneGenerations }) {
    if (base === undefined) return [];
    const message = `the generation stands in ${sayBase(base)} and is gone; what is sealed under it, and reverts, need it`;
    return goneGenerations.map((file) => report(file, 1, message, restoreHint(base, file)));
  },
};

function listChanges(before: GenerationFile, now: GenerationFile): { line: number; field: string }[] {
  return [
    ...(before.previous === now.previous ? [] : [{ line: 4, field: "previous" }]),
    ...(before.createdAt === now.createdAt ? [] : [{ line: 5, field: "created" }]),
    ...(sameHash(hashReaders(before.mintedFor), hashReaders(now.mintedFor)) ? [] : [{ line: 6, field: "minted_for" }]),
  ];
}

function report(file: string, line: number, message: string, hint: string): Finding {
  return { rule: "keyring-append-only", severity: "error", message, file, line, hint };
}
