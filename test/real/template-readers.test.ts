import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nastyTexts, places, renderWith, substitute } from "../resolve/template-samples.ts";

// What render writes, read by the parsers of another language: PyYAML, which reads YAML 1.1, and Python's own
// json and tomllib.

const python = fileURLToPath(new URL("../../.tools/pyyaml-python/bin/python", import.meta.url));

const script = `
import json, sys, tomllib, yaml
read = {"yaml": yaml.safe_load, "json": json.loads, "toml": tomllib.loads}[sys.argv[1]]
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout, default=str)
`;

function readByPython(format: string, texts: readonly string[]): unknown[] {
  const { status, stdout, stderr } = spawnSync(python, ["-c", script, format], {
    input: JSON.stringify(texts),
    maxBuffer: 1 << 28,
  });
  if (status !== 0)
    throw new Error(`python ended with ${status ?? "a signal"}: ${stderr.toString("utf8").slice(-400)}`);
  return JSON.parse(stdout.toString("utf8")) as unknown[];
}

describe.each(["yaml", "json", "toml"] as const)("a rendered template in %s", (format) => {
  it("reads in Python as its own tree with the values in it, for more than 200 nasty values", async () => {
    const { template } = places[format];
    const pairs = nastyTexts.map((text, index) => [text, nastyTexts[(index * 7 + 3) % nastyTexts.length] ?? ""]);
    expect(pairs.length).toBeGreaterThan(200);
    const rendered = await Promise.all(pairs.map(async (texts) => await renderWith(template, format, texts)));
    const [tree, ...read] = readByPython(format, [template, ...rendered]);
    for (const [index, texts] of pairs.entries()) expect(read[index]).toEqual(substitute(tree, texts));
  });
});
