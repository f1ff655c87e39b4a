import { SealtreeError } from "../errors.ts";
import { isSecretName, type SecretName } from "../secret/address.ts";
import { printSourcePath, type SourcePath } from "./source-values.ts";

/** How the path of a value becomes a name. */
export interface NameRule {
  /** Put before every name; empty for nothing. */
  readonly prefix: string;
  /** What joins the steps of a path. */
  readonly dots: "keep" | "underscore";
}

/** A value's name here, and whether it is another than its path written with dots. */
export interface MappedName {
  readonly name: SecretName;
  readonly isRenamed: boolean;
}

const maxHints = 20;
const maxSourceChars = 80;

/**
 * The names of all paths, in their order: steps joined by a dot or `_`, and every character that a
 * name cannot have replaced by `_`. Throws E_NAME_INVALID listing the paths that give no name, and E_NAME_CLASH listing those that
 * give the same.
 */
export function nameSecrets(paths: readonly SourcePath[], rule: NameRule): MappedName[] {
  const mapped = paths.map((path) => ({ path, text: rule.prefix + joinPath(path, rule) }));
  const unfit = mapped.flatMap(({ path, text }) =>
    isSecretName(text) ? [] : [`${clip(printSourcePath(path))}: ${explain(text)}`],
  );
  if (unfit.length > 0) {
    throw new SealtreeError("E_NAME_INVALID", `${unfit.length} names of the source cannot be names of secrets`, {
      hints: listed(unfit),
    });
  }
  const owners = new Map<string, string[]>();
  for (const { path, text } of mapped) owners.set(text, [...(owners.get(text) ?? []), printSourcePath(path)]);
  const clashes = [...owners].filter(([, sources]) => sources.length > 1);
  if (clashes.length > 0) {
    throw new SealtreeError("E_NAME_CLASH", `${clashes.length} names would be those of several values`, {
      hints: [
        ...listed(clashes.map(([text, sources]) => `${text}: ${sources.map(clip).join(", ")}`)),
        "rename one in the source, or try --dots keep",
      ],
    });
  }
  return mapped.map(({ path, text }) => ({ name: text as SecretName, isRenamed: text !== path.join(".") }));
}

function joinPath(path: SourcePath, { dots }: NameRule): string {
  const joined = path.join(".");
  return (dots === "keep" ? joined : joined.replaceAll(".", "_")).replace(/[^A-Za-z0-9_.-]/gu, "_");
}

/** A name of a source may be anything, and as long. */
function clip(source: string): string {
  return source.length > maxSourceChars ? `${source.slice(0, maxSourceChars)}…` : source;
}

function explain(text: string): string {
  if (text === "") return "it is empty; put something before it with --prefix";
  if (text.length > 128) return "it has more than 128 characters";
  return "it does not begin with a letter or _; put something before it with --prefix";
}

function listed(lines: readonly string[]): string[] {
  const more = lines.length - maxHints;
  return more > 0 ? [...lines.slice(0, maxHints), `and ${more} more`] : [...lines];
}
