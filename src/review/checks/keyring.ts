import { listStanzas, maxKeyringFileBytes } from "../../crypto/age.ts";
import { isSealtreeError } from "../../errors.ts";
import type { ScopePath } from "../../secret/address.ts";
import type { Finding } from "../../store/finding.ts";
import { countFingerprints, type GenerationFile } from "../../store/generation-file.ts";
import { generationPath } from "../../store/layout.ts";
import { findingOf } from "../finding-of.ts";
import type { Rule } from "../rule.ts";

export const keyring: Rule = {
  name: "keyring",
  describe:
    "Generation files are written as sealtree writes them, have one stanza for each recipient they list, and follow a generation that is there.",
  check({ scopes }) {
    return scopes.flatMap((reviewed) => [
      ...reviewed.keyringProblems.map((error) => findingOf("keyring", error)),
      ...[...reviewed.keyring.values()].flatMap((file) => checkGeneration(reviewed.scope, file, reviewed.generations)),
    ]);
  },
};

function checkGeneration(scope: ScopePath, generation: GenerationFile, known: readonly string[]): Finding[] {
  const path = generationPath(scope, generation.id);
  const hint = `restore it: git log -- ${path}, then git checkout COMMIT -- ${path}`;
  const findings: Finding[] = [];
  const report = (line: number, message: string) =>
    findings.push({ rule: "keyring", severity: "error", message, file: path, line, hint });
  const stanzas = countStanzas(generation);
  if (stanzas === undefined) report(8, "the key is not an age file");
  else if (stanzas !== countFingerprints(generation.wrappedFor))
    report(7, "it is wrapped to another number of recipients than it lists");
  if (generation.previous !== undefined && !known.includes(generation.previous))
    report(4, "the generation it follows is not there");
  return findings;
}

function countStanzas({ armored }: GenerationFile): number | undefined {
  try {
    return listStanzas(armored, { maxBytes: maxKeyringFileBytes }).length;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
