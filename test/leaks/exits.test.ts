import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

/**
 * Every place that takes a value out of its Secret, how often, and why it may. Who adds one
 * says here where the value goes.
 */
const exits: Readonly<Record<string, readonly [calls: number, reason: string]>> = {
  "cli/commands/get.ts": [2, "a door: --reveal"],
  "cli/print-value.ts": [2, "a door: diff --reveal, escaped, after a yes"],
  "cli/value-input.ts": [1, "a value that was just read becomes binary: --binary"],
  "cli/value-json.ts": [2, "a door: get --reveal --json, decrypt --json and diff --reveal --json after a yes"],
  "crypto/frame.ts": [1, "sealing, of a record or a drop"],
  "history/open-sides.ts": [2, "diff --compare says whether two are equal"],
  "resolve/child-environment.ts": [1, "a door: run hands values to its child"],
  "resolve/mask-patterns.ts": [2, "what is masked in the output of run"],
  "review/wanted-values.ts": [2, "what scan looks for"],
  "review/value-traits.ts": [1, "a digest under a key of the run, and whether it is weak or expires: review --deep"],
  "values/dotenv-text.ts": [1, "compares what was printed with what is read back"],
  "values/environment-text.ts": [1, "a door: formats of export that are lines of NAME=VALUE"],
  "values/json-text.ts": [2, "a door: export --format json"],
  "values/yaml-scalar.ts": [2, "a door: decrypt, export --format yaml and the text of edit"],
  "values/yaml-text.ts": [2, "compares what was printed with what is read back"],
};

describe("the exits of Secret", () => {
  it("are called in these places and no others", () => {
    const found = Object.fromEntries(
      readdirSync(src, { recursive: true, encoding: "utf8" })
        .map((path) => path.replaceAll("\\", "/"))
        .filter((path) => path.endsWith(".ts") && path !== "secret/secret.ts")
        .map((path) => [path, countExits(readFileSync(src + path, "utf8"))] as const)
        .filter(([, calls]) => calls > 0),
    );
    expect(found).toEqual(Object.fromEntries(Object.entries(exits).map(([path, [calls]]) => [path, calls])));
  });
});

/** Calls and other uses, also by a name in brackets or by destructuring. */
function countExits(text: string): number {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...code.matchAll(/(?:\.|(?<!options)\[["'`]|[{,]\s*)(?:reveal|revealText)\b(?!:)/g)].length;
}
