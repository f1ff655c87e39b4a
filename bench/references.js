import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { againstFirst, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const bareFile = fileURLToPath(new URL("bare.js", import.meta.url));

/** Templates with one reference a line, by the name of their file. */
const templates = {
  "config.yaml": (lines) => lines.map(({ key, reference }) => `${key}: ${reference} # of the bench\n`).join(""),
  "config.json": (lines) => `{\n${lines.map(({ key, reference }) => `  "${key}": "x ${reference}"`).join(",\n")}\n}\n`,
  "config.toml": (lines) => lines.map(({ key, reference }) => `${key} = "${reference}"\n`).join(""),
  "config.env": (lines) => lines.map(({ key, reference }) => `${key}=${reference}\n`).join(""),
  "config.txt": (lines) => lines.map(({ key, reference }) => `${key} is ${reference}\n`).join(""),
};

/**
 * Rows of rendering a config of `references` references to as many secrets of `scopes` scopes, in one cold
 * process, against a bare Node start; and of exporting values that refer to each other.
 */
export function benchReferences({ rounds, references, scopes }) {
  const repositories = { x25519: makeRepository("x25519"), pq: makeRepository("pq") };
  try {
    const cases = { bare: () => runNode([bareFile], repositories.pq).timeMs };
    for (const [kind, { cwd, sealtree }] of Object.entries(repositories)) {
      const size = references / scopes;
      for (let scope = 0; scope < scopes; scope += 1)
        sealtree(["import", `prod/s${scope}`, "--format", "dotenv", "--yes"], { input: makeDotenv(size) });
      const lines = Array.from({ length: references }, (_, index) => ({
        key: `KEY_${index}`,
        reference: `\${secret:prod/s${index % scopes}/BENCH_VALUE_${Math.floor(index / scopes)}}`,
      }));
      const values = lines.map(({ key, reference }) => `${key}='postgres://u:${reference}@h'\n`).join("");
      sealtree(["import", "prod/urls", "--format", "dotenv", "--yes"], { input: values });
      for (const [file, print] of kind === "pq"
        ? Object.entries(templates)
        : [["config.yaml", templates["config.yaml"]]]) {
        writeFileSync(join(cwd, file), print(lines));
        cases[`render ${file} with ${references} references, ${kind} identity`] = () =>
          sealtree(["render", file, "--yes"]).timeMs;
      }
      cases[`export ${references} values with a reference each, ${kind} identity`] = () =>
        sealtree(["export", "prod/urls", "--format", "json", "--yes"]).timeMs;
    }
    return againstFirst(cases, rounds);
  } finally {
    for (const { remove } of Object.values(repositories)) remove();
  }
}
