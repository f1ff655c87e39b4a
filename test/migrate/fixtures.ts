import { readFileSync } from "node:fs";
import { printSourcePath, type SourceContents } from "../../src/migrate/source-values.ts";

/** A file that a real program made; the folder's README says how. */
export function readFixture(name: string): Buffer {
  return readFileSync(new URL(`./fixtures/${name}.txt`, import.meta.url));
}

/** The values of a source as text, by path with dots. */
export function textsOf({ values }: SourceContents): Record<string, string> {
  return Object.fromEntries(
    values.map(({ path, secret }) => [printSourcePath(path), Buffer.from(secret.reveal()).toString("latin1")]),
  );
}
