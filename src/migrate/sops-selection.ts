import { sourceError } from "./source-tree.ts";
import type { SopsSelection } from "./sops-metadata.ts";

/** Where a value or a comment stands, for the question whether SOPS seals it. */
export interface SopsPosition {
  /** Keys of the maps above it; a list adds none. */
  readonly keys: readonly string[];
  /** For each level above it, the comments before it at that level. */
  readonly comments: readonly (readonly string[])[];
}

/** True when a file's rule says that what stands there is sealed. */
export type IsSealed = (position: SopsPosition) => boolean;

/**
 * The rule of a SOPS file. A regular expression is Go's (RE2): one that means something else here,
 * or cannot be read, is E_INPUT_INVALID.
 */
export function compileSelection({ by, text }: SopsSelection): IsSealed {
  if (by === "unencrypted_suffix") return ({ keys }) => !keys.some((key) => key.endsWith(text));
  if (by === "encrypted_suffix") return ({ keys }) => keys.some((key) => key.endsWith(text));
  const pattern = compileGoPattern(text);
  if (by === "unencrypted_regex") return ({ keys }) => !keys.some((key) => pattern.test(key));
  if (by === "encrypted_regex") return ({ keys }) => keys.some((key) => pattern.test(key));
  const matches = ({ comments }: SopsPosition) => comments.some((level) => level.some((line) => pattern.test(line)));
  return by === "encrypted_comment_regex" ? matches : (position) => !matches(position);
}

/** What RE2 has and JavaScript reads as something else. */
const goOnly = /\\[AzCQE]|\[\[:|\(\?P|\(\?[a-z]*-|\\x\{|\\[pP][A-Z]|(?!^)\(\?[imsU]+/;

function compileGoPattern(text: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(text);
  const body = flags === null ? text : text.slice(flags[0].length);
  try {
    if (goOnly.test(body) || text.length > 1000) throw new SyntaxError();
    return new RegExp(body, flags?.[1] ?? "");
  } catch {
    throw sourceError(
      "the SOPS file chooses what it seals by a regular expression that cannot be read here",
      "open it with sops and pipe it in: sops decrypt FILE | sealtree import SCOPE --from yaml",
    );
  }
}
