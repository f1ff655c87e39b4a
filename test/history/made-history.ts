import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { ReaderList } from "../../src/crypto/generation.ts";
import type { GitPlace } from "../../src/git/place.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { printGenerationFile } from "../../src/store/generation-file.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import type { TestRepository } from "../support/repository.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

/** A commit to make: its whole tree, by path. */
export interface MadeCommit {
  /** Numbers of earlier commits; the one before without, none for the first. */
  readonly parents?: readonly number[];
  readonly files: Readonly<Record<string, string>>;
  /** Modes other than 100644, by path. */
  readonly modes?: Readonly<Record<string, string>>;
}

/** Makes commits with one git process, the last of which `branch` then names. Gives their ids. */
export function makeHistory({ root, env }: TestRepository, commits: readonly MadeCommit[], branch = "main"): string[] {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const stream = commits.map(({ parents, files, modes = {} }, index) => {
    const [first, ...others] = parents ?? (index === 0 ? [] : [index - 1]);
    return [
      `commit refs/heads/${branch}\nmark :${index + 1}\n`,
      `committer Writer ${index} <writer-${index}@example.test> ${1_700_000_000 + index} +0000\n`,
      data(`step ${index}\n`),
      first === undefined ? "" : `from :${first + 1}\n`,
      ...others.map((other) => `merge :${other + 1}\n`),
      "deleteall\n",
      ...Object.entries(files).map(([path, text]) => `M ${modes[path] ?? "100644"} inline ${path}\n${data(text)}`),
      "\n",
      `get-mark :${index + 1}\n`,
    ].join("");
  });
  const options = { cwd: root, env: { PATH: process.env["PATH"], ...env } };
  const output = execFileSync("git", ["fast-import", "--quiet", "--force", "--cat-blob-fd=1"], {
    ...options,
    input: `${stream.join("")}done\n`,
  });
  return output.toString("utf8").trim().split("\n");
}

/** Path and text of a scope file. Numbers name value and generation of each record, or it is the record itself. */
export function scopeFile(
  scope: string,
  records: Readonly<Record<string, readonly [value: number, generation: number] | string>>,
): Record<string, string> {
  const made = Object.fromEntries(
    Object.entries(records).map(([name, it]) => [name, typeof it === "string" ? it : makeRecord(it[0], it[1])]),
  );
  return { [`secrets/${scope}.yaml`]: printScopeFile(parseScopePath(scope), makeEntries(made)) };
}

/** Path and text of a generation file that nothing opens. */
export function generationFile(
  scope: string,
  generation: number,
  mintedFor: readonly string[],
  wrappedFor: readonly string[] = mintedFor,
): Record<string, string> {
  const id = generationId(generation);
  const text = printGenerationFile(parseScopePath(scope), {
    id,
    previous: undefined,
    createdAt: 1_700_000_000,
    mintedFor: toList(mintedFor),
    wrappedFor: toList(wrappedFor),
    armored: "-----BEGIN AGE ENCRYPTED FILE-----\ndGVzdA==\n-----END AGE ENCRYPTED FILE-----\n",
  });
  return { [`secrets/${scope}.keys/${id}.yaml`]: text };
}

/** As makeRecord names it. */
export function generationId(generation: number): string {
  return createHash("sha256").update(`generation ${generation}`).digest("hex").slice(0, 32);
}

/** A value id as makeRecord names it. */
export function valueIdOf(value: number): string {
  return value.toString(16).padStart(16, "0");
}

/** The fingerprint of the test key of a name. */
export function testFingerprint(name: string): string {
  return createHash("sha256").update(`test key of ${name}`).digest("hex").slice(0, 16);
}

export function placeOf({ root, env }: TestRepository): GitPlace {
  return { root, env: { PATH: process.env["PATH"], ...env } };
}

function toList(names: readonly string[]): ReaderList {
  return new Map(names.map((name) => [name, [testFingerprint(name)]]));
}
