import { SealtreeError } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { countFingerprints, type GenerationFile } from "../store/generation-file.ts";
import type { Keyring } from "../store/keyring.ts";
import { generationPath } from "../store/layout.ts";

/**
 * Throws E_KEYRING_INTEGRITY for a generation that is wrapped to more or fewer recipients than
 * it lists. Needs no key. Such a file was edited by hand, and wrapping it again would hide that.
 */
export function checkStanzas(scope: ScopePath, keyring: Keyring): void {
  for (const file of keyring.values()) {
    const [found, listed] = [countStanzas(file), countFingerprints(file.wrappedFor)];
    if (found === listed) continue;
    const path = generationPath(scope, file.id);
    const what =
      found === undefined ? "its key is not an age file" : `it is wrapped to ${found} recipients and lists ${listed}`;
    throw new SealtreeError("E_KEYRING_INTEGRITY", `${path}: ${what}`, {
      file: path,
      hints: [
        `restore it: git log -- ${path}, then git checkout COMMIT -- ${path}`,
        `then sealtree rekey ${scope} gives the scope a new generation: somebody else may know this one`,
      ],
    });
  }
}

/**
 * How many stanzas an armored file has; undefined for what has no header. It looks no closer:
 * every file of a repository is counted, and one that is opened is parsed by the rules.
 */
function countStanzas({ armored }: GenerationFile): number | undefined {
  const file = Buffer.from(armored.slice(armored.indexOf("\n"), armored.lastIndexOf("\n-----END")), "base64");
  const end = file.indexOf("\n--- ");
  if (end < 0) return undefined;
  let count = 0;
  for (let at = file.indexOf("\n-> "); at >= 0 && at < end; at = file.indexOf("\n-> ", at + 1)) count += 1;
  return count;
}
