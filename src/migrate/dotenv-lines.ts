import type { SecretName } from "../secret/address.ts";
import { listAssignments, parseDotenv } from "../values/dotenv-text.ts";

/** One assignment of a .env file, and the comment lines directly above it. */
export interface DotenvLine {
  readonly name: SecretName;
  /** As the library `dotenv` reads it. */
  readonly text: string;
  /** What the value is written in; empty for nothing. */
  readonly quote: "'" | '"' | "`" | "";
  /** The text after `#`. */
  readonly comments: readonly string[];
}

/** The assignments of a .env file in order. Throws E_INPUT_INVALID and E_NAME_INVALID with the line. */
export function readDotenvLines(text: string): DotenvLine[] {
  const values = parseDotenv(text);
  const unix = text.replace(/\r\n?/g, "\n");
  const lines = unix.split("\n");
  return [...listAssignments(unix)].map(({ name, line, start }) => {
    const quote = /^['"`]/.exec(unix.charAt(start))?.[0] ?? "";
    return {
      name,
      text: values.get(name)?.revealText() ?? "",
      quote: quote as DotenvLine["quote"],
      comments: commentsAbove(lines, line),
    };
  });
}

function commentsAbove(lines: readonly string[], line: number): string[] {
  const comments: string[] = [];
  for (let above = line - 2; above >= 0; above -= 1) {
    const comment = /^[^\S\n]*#(.*)$/.exec(lines[above] ?? "")?.[1];
    if (comment === undefined) break;
    comments.unshift(comment);
  }
  return comments;
}
