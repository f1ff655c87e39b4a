import { Secret } from "../secret/secret.ts";
import { readDotenvLines } from "./dotenv-lines.ts";
import { readJsonTree } from "./json-tree.ts";
import { plainLeaf, readTree } from "./read-tree.ts";
import type { SourceContents } from "./source-values.ts";
import { readYamlTrees } from "./yaml-tree.ts";

/**
 * The values of a plaintext file: nested maps and lists of JSON and YAML too, numbers and the like as
 * they are written. Throws E_INPUT_INVALID and E_NAME_INVALID with the line.
 */
export function readPlain(text: string, format: "dotenv" | "json" | "yaml"): SourceContents {
  if (format === "dotenv") return readDotenv(text);
  const trees = format === "json" ? [readJsonTree(text)] : readYamlTrees(text);
  const parts = trees.map((tree) => readTree(tree, plainLeaf));
  return { values: parts.flatMap(({ values }) => values), leftOut: parts.flatMap(({ leftOut }) => leftOut) };
}

function readDotenv(source: string): SourceContents {
  const values = readDotenvLines(source).map(({ name, text, comments }) => ({
    path: [name],
    secret: Secret.text(text),
    type: "text" as const,
    comments: comments.map((line) => ({ text: line, isPrivate: true })),
    isOpen: true,
  }));
  return { values, leftOut: [] };
}
