import type { SecretName } from "../secret/address.ts";
import { assertSameComments, headingPrefix, parseEditBuffer, type Comments } from "./edit-buffer.ts";
import type { Entries } from "./entries.ts";
import { assertSameEntries, printYaml, printYamlRecord } from "./yaml-text.ts";

/**
 * A scope as plain YAML: each record below its comments, an empty line above those. What it
 * returns was parsed again by {@link parseEditBuffer} and compared.
 */
export function printCommentedYaml(entries: Entries, comments: Comments): string {
  if (entries.size === 0) return printYaml(entries);
  const above = (name: SecretName) => (comments.get(name) ?? []).map((comment) => `#${comment}\n`).join("");
  const records = [...entries].map(([name, secret], index) => {
    const block = above(name);
    // At the top a comment like a heading would be taken for one.
    const gap = block !== "" && (index > 0 || block.startsWith(headingPrefix)) ? "\n" : "";
    return `${gap}${block}${printYamlRecord(name, secret)}`;
  });
  const text = records.join("");
  const reread = parseEditBuffer(text);
  assertSameEntries(reread.entries, entries);
  assertSameComments(reread.comments, comments, entries);
  return text;
}
