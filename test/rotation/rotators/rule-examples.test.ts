import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { findOptionsProblem, type RotatorName } from "../../../src/rotation/rotators/registry.ts";

const folder = fileURLToPath(new URL("../../../docs/rotators/", import.meta.url));

interface WrittenRule {
  readonly rotator: RotatorName;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Every rule in the YAML of a page. */
function rulesOf(page: string): WrittenRule[] {
  const blocks = [...readFileSync(folder + page, "utf8").matchAll(/^```yaml\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, text = ""]) => {
    const secrets = (parse(text) as { secrets?: Record<string, WrittenRule> }).secrets ?? {};
    return Object.values(secrets);
  });
}

describe("the rules in the pages of rotators", () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith(".md")))("%s has one that holds", (page) => {
    const rules = rulesOf(page);
    expect(rules.map(({ rotator }) => `${rotator}.md`)).toContain(page);
    expect(rules.map(({ rotator, options = {} }) => findOptionsProblem(rotator, options))).toEqual(
      rules.map(() => undefined),
    );
  });

  it("of http hold for each kind", () => {
    const page = readFileSync(`${folder}http.md`, "utf8");
    const [, ...others] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
      ([, text = ""]) => parse(text) as object,
    );
    const problems = others.map((options) =>
      findOptionsProblem("http", { url: "https://api.example.com", ...options }),
    );
    expect(problems).toEqual([undefined, undefined]);
  });
});
