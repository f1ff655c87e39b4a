import type { z } from "zod";
import { isSealtreeError } from "../errors.ts";
import type { Finding } from "./finding.ts";
import { findingOf } from "./finding-of.ts";
import { parseStrictYaml, type StrictDocument } from "./strict-yaml.ts";

/** A policy file that follows its schema. */
export interface CheckedDocument<T> {
  readonly data: T;
  readonly document: StrictDocument;
}

/**
 * Reads a policy file and holds it to its schema. What is wrong goes into `findings` under
 * `rule`, with file and line; then it gives undefined. A finding says where by the keys that
 * the schema knows and never repeats another one: it may be a value that was pasted here.
 */
export function readChecked<T extends z.ZodType>(
  bytes: Uint8Array,
  file: string,
  { schema, rule, findings }: { readonly schema: T; readonly rule: string; readonly findings: Finding[] },
): CheckedDocument<z.infer<T>> | undefined {
  const report = (message: string, line: number) => findings.push({ rule, severity: "error", message, file, line });
  try {
    const document = parseStrictYaml(bytes, file);
    const result = schema.safeParse(document.data);
    if (result.success) return { data: result.data, document };
    for (const issue of result.error.issues) {
      const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
      report(`${sayPlace(issue)}: ${sayIssue(issue)}`, document.lineOf(path));
    }
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    findings.push(findingOf(rule, error, { file }));
  }
  return undefined;
}

function sayPlace({ code, path }: z.core.$ZodIssue): string {
  // The last part of the path of an invalid key is that key.
  const known = code === "invalid_key" ? [...path.slice(0, -1).map(sayKey), "..."] : path.map(sayKey);
  return known.length === 0 ? "the file" : known.join(".");
}

function sayIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "a field is not known";
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  return issue.message;
}

/** A name, or an address: scope and short name. A long one may be something else. */
const sayable = /^(?:[a-z0-9][a-z0-9_-]{0,30}|[a-z0-9_/-]{1,80}\/[A-Za-z_][A-Za-z0-9_.-]{0,40})$/;

function sayKey(key: PropertyKey): string {
  const text = String(key);
  return sayable.test(text) ? text : "...";
}
