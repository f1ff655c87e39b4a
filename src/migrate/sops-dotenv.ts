import { type SourceBranch, type SourceItem, sourceLineError } from "./source-tree.ts";

/**
 * A .env file as SOPS reads one: `KEY=VALUE` lines, the value with its quotes and spaces, the two
 * characters `\n` in it for a line end, and comment lines with `#`. Throws E_INPUT_INVALID with the line.
 */
export function readSopsDotenv(text: string): SourceBranch {
  const items: SourceItem[] = [];
  let comments: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      comments.push(line.slice(1));
      continue;
    }
    const sign = line.indexOf("=");
    if (sign === -1) throw sourceLineError("neither an assignment nor a comment", index + 1);
    const value = line.slice(sign + 1).replaceAll("\\n", "\n");
    items.push({ key: line.slice(0, sign), value: { kind: "leaf", type: "text", text: value }, comments });
    comments = [];
  }
  return { kind: "map", items, trailing: comments };
}
