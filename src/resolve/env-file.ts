import type { Identity } from "../crypto/identity.ts";
import { Secret } from "../secret/secret.ts";
import { mayHaveReferences } from "../secret/reference.ts";
import type { Tree } from "../store/tree.ts";
import { parseDotenv } from "../values/dotenv-text.ts";
import type { SelectedSecret } from "../values/select-secrets.ts";
import { resolveReferences } from "./resolve-references.ts";
import { createSecretSource } from "./secret-source.ts";
import { fillReferences, parseTemplate } from "./template.ts";

/** A .env file, read. */
export interface EnvFile {
  /** What it is called in errors. */
  readonly name: string;
  readonly text: string;
}

/** The variables that .env files give. */
export interface EnvFileValues {
  /** By name, with the file each is from; of a name in several files the last. */
  readonly variables: ReadonlyMap<string, { readonly value: Secret; readonly file: string }>;
  /** Every secret that was opened. */
  readonly opened: readonly SelectedSecret[];
  /** Values that came from secrets: what to mask. What stands in a file in plain is none. */
  readonly secret: readonly Secret[];
}

/**
 * What .env files say, with their references resolved. `openTree` and `identities` are asked only when
 * there are some. Throws what reading a .env file and resolving references throw.
 */
export async function resolveEnvFiles(
  files: readonly EnvFile[],
  openTree: () => Promise<Tree>,
  identities: () => Promise<readonly Identity[]>,
): Promise<EnvFileValues> {
  const references = [];
  for (const { name, text } of files) {
    const template = await parseTemplate(text, "dotenv", name);
    references.push(...template.references.map((it) => ({ ...it, file: name })));
  }
  const found =
    references.length === 0
      ? undefined
      : await resolveReferences(references, createSecretSource(await openTree(), await identities()));
  const variables = new Map<string, { value: Secret; file: string }>();
  const secret = [...(found?.values ?? [])];
  for (const { name: file, text } of files) {
    for (const [name, written] of parseDotenv(text)) {
      const raw = written.revealText() ?? "";
      const filled = mayHaveReferences(raw) ? fillReferences(raw, (address) => found?.textOf(address) ?? "") : raw;
      const value = filled === raw ? written : Secret.text(filled);
      if (value !== written && found !== undefined) secret.push(value);
      variables.set(name, { value, file });
    }
  }
  return { variables, opened: found?.opened ?? [], secret };
}
