import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { commonFields } from "../../../src/deploy/policy-schema.ts";
import { bindTarget } from "../../../src/deploy/targets/bind-target.ts";
import { targetKinds } from "../../../src/deploy/targets/registry.ts";
import { headingsOf } from "../../support/markdown.ts";

const folder = new URL("../../../docs/targets/", import.meta.url);
const texts = new Map(
  readdirSync(folder).map((file) => [file.replace(/\.md$/, ""), readFileSync(new URL(file, folder), "utf8")]),
);

/** For a key that a page cannot know, and writes as `age1...`. */
const recipient = "age1f4kzyvjurtj3cn4mpmayrezqkx4jdw9nr3qruteq6vjcrur894kqtmkyf9";

interface WrittenTarget {
  readonly kind: string;
  readonly scopes: readonly string[];
}

describe.each(targetKinds)("the page of the target %s", (name) => {
  const text = texts.get(name) ?? "";
  const [, example = ""] = /^```yaml\n([\s\S]*?)^```$/m.exec(text) ?? [];

  it("has examples that the policy takes", async () => {
    const { targets } = parse(example.replaceAll("age1...", recipient)) as {
      readonly targets: Readonly<Record<string, WrittenTarget>>;
    };
    const problems = Object.values(targets).map(async ({ kind, ...fields }) => {
      const own = Object.entries(fields).filter(([field]) => !commonFields.has(field));
      const bound = await bindTarget(kind, Object.fromEntries(own));
      return bound !== undefined && "problems" in bound ? bound.problems : [];
    });
    expect((await Promise.all(problems)).flat()).toEqual([]);
    expect(Object.values(targets).map(({ kind }) => kind)).toContain(name);
    expect(Object.values(targets).filter(({ scopes }) => scopes.length === 0)).toEqual([]);
  });

  it("says what is ours, what a write sets off, how drift is known and what it was tested against", () => {
    const headings = headingsOf(text).map((heading) => heading.split(/ and what|,| against/)[0]);
    const wanted = ["In the policy", "Names and limits", "What is ours", "What a write sets off", "Drift", "Tested"];
    expect(headings).toEqual(expect.arrayContaining(wanted));
  });
});
