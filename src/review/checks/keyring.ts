import { maxKeyringFileBytes } from "../../crypto/age.ts";
import { parseAgeFile } from "../../crypto/age-file.ts";
import type { Stanza } from "../../crypto/age-header.ts";
import type { Recipient } from "../../crypto/recipient.ts";
import { isSealtreeError } from "../../errors.ts";
import type { ScopePath } from "../../secret/address.ts";
import type { Finding } from "../../store/finding.ts";
import type { GenerationFile } from "../../store/generation-file.ts";
import { generationPath } from "../../store/layout.ts";
import { findingOf } from "../../store/finding-of.ts";
import type { Rule } from "../rule.ts";
import { fitsRecipient } from "../stanza-kind.ts";

/** Lines of a generation file. */
const lines = { previous: 4, wrappedFor: 7, key: 8 } as const;

export const keyring: Rule = {
  name: "keyring",
  describe:
    "Generation files are written as sealtree writes them, have one stanza for each recipient they list and of its kind, and follow a generation that is there.",
  checkScope({ scope, keyring: files, keyringProblems, generations }, { recipients }) {
    return [
      ...keyringProblems.map((error) => findingOf("keyring", error)),
      ...[...files.values()].flatMap((file) => checkGeneration(scope, file, generations, recipients)),
    ];
  },
};

function checkGeneration(
  scope: ScopePath,
  generation: GenerationFile,
  known: readonly string[],
  recipients: ReadonlyMap<string, Recipient>,
): Finding[] {
  const file = generationPath(scope, generation.id);
  const hint = `restore it: git log -- ${file}, then git checkout COMMIT -- ${file}`;
  const findings: Finding[] = [];
  const report = (line: number, message: string) =>
    findings.push({ rule: "keyring", severity: "error", message, file, line, hint });
  const stanzas = findStanzas(generation);
  const listed = [...generation.wrappedFor].flatMap(([name, prints]) => prints.map((print) => ({ name, print })));
  if (stanzas === undefined) report(lines.key, "the key is not an age file");
  else if (stanzas.length > listed.length)
    report(
      lines.key,
      `it has ${stanzas.length} stanzas and lists ${listed.length} recipients: somebody else can open it`,
    );
  else if (stanzas.length < listed.length)
    report(lines.wrappedFor, `it lists ${listed.length} recipients and has ${stanzas.length} stanzas`);
  else
    for (const [index, { name, print }] of listed.entries()) {
      // The stanzas stand in the order of the list (docs/format.md, Generation file).
      const [stanza, recipient] = [stanzas[index], recipients.get(print)];
      if (stanza !== undefined && recipient !== undefined && !fitsRecipient(stanza, recipient))
        report(lines.key, `where the stanza for ${name}'s key ${print} should be there is one for another key`);
    }
  if (generation.previous !== undefined && !known.includes(generation.previous))
    report(lines.previous, "the generation it follows is not there");
  return findings;
}

function findStanzas({ armored }: GenerationFile): readonly Stanza[] | undefined {
  try {
    return parseAgeFile(armored, maxKeyringFileBytes).header.stanzas;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
