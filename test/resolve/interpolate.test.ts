import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInterpolation, resolveValues } from "../../src/resolve/interpolate.ts";
import type { MissingReference } from "../../src/resolve/missing-reference.ts";
import type { SecretSource } from "../../src/resolve/secret-source.ts";
import { SealtreeError } from "../../src/errors.ts";
import { parseAddress, printAddress, type Address } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import type { Tree } from "../../src/store/tree.ts";
import type { SelectedSecret } from "../../src/values/select-secrets.ts";

const closedTree: Tree = {
  label: "a tree that must not be read",
  read: () => Promise.reject(new Error("it was read")),
  list: () => Promise.reject(new Error("it was listed")),
};

function selected(address: string, secret: Secret): SelectedSecret {
  return { address: parseAddress(address), secret, reader: "test", isDrop: false };
}

/** A source of texts by address, which counts how often each is opened. All scopes have the same readers. */
function sourceOf(texts: Readonly<Record<string, string>>) {
  const opened = new Map<string, number>();
  const source: SecretSource = {
    open(address: Address) {
      const printed = printAddress(address);
      opened.set(printed, (opened.get(printed) ?? 0) + 1);
      const text = texts[printed];
      if (text === undefined) return Promise.reject(new SealtreeError("E_SECRET_NOT_FOUND", "none"));
      return Promise.resolve(selected(printed, Secret.text(text)));
    },
    has: (address) => Promise.resolve(Object.hasOwn(texts, printAddress(address))),
    readersWithout: () => Promise.resolve([]),
  };
  return { source, opened };
}

async function resolveIn(texts: Readonly<Record<string, string>>, address: string) {
  const { source } = sourceOf(texts);
  const missing: MissingReference[] = [];
  const resolved = await createInterpolation(source).resolve(await source.open(parseAddress(address)), missing);
  return {
    text: resolved.secret.revealText(),
    from: resolved.references.map((it) => printAddress(it.address)),
    parts: resolved.parts.map((it) => it.revealText()),
    missing,
  };
}

describe("resolveValues", () => {
  it("reads nothing and passes the very values on when none has references", async () => {
    const values = [
      selected("dev/A", Secret.text("$${HOME} ${secrets:x}")),
      selected("dev/B", Secret.of(Buffer.from("${secret:dev/A}"), "binary")),
    ];
    const resolved = await resolveValues(closedTree, [], values);
    expect(resolved.map(({ secret }, index) => secret === values[index]?.secret)).toEqual([true, true]);
    expect(resolved.map(({ references }) => references)).toEqual([[], []]);
  });

  it("takes escapes out without reading anything", async () => {
    const [resolved] = await resolveValues(closedTree, [], [selected("dev/A", Secret.text("$${secret:dev/A}"))]);
    expect(resolved?.secret.revealText()).toBe("${secret:dev/A}");
  });
});

describe("an interpolation", () => {
  it("says every secret that went into a value, also through others, each once", async () => {
    const texts = {
      "dev/A": "${secret:dev/B}${secret:dev/C}${secret:dev/B}",
      "dev/B": "b${secret:dev/C}",
      "dev/C": "c",
    };
    expect(await resolveIn(texts, "dev/A")).toMatchObject({ text: "bccbc", from: ["dev/B", "dev/C"], missing: [] });
  });

  it("gives every part of a value as it went in, its own references resolved", async () => {
    const texts = { "dev/A": "a${secret:dev/B}", "dev/B": "b${secret:dev/C}", "dev/C": "c" };
    expect(await resolveIn(texts, "dev/A")).toMatchObject({ text: "abc", parts: ["bc", "c"] });
    expect(await resolveIn(texts, "dev/C")).toMatchObject({ text: "c", parts: [] });
  });

  it("gives what references in the text of a value stand for no second look", async () => {
    const texts = { "dev/A": "$${secret:${secret:dev/B}}", "dev/B": "dev/C", "dev/C": "c" };
    expect((await resolveIn(texts, "dev/A")).text).toBe("${secret:dev/C}");
  });

  it("works out a value that many refer to only once", async () => {
    const levels = 20;
    const texts = Object.fromEntries(
      Array.from({ length: levels }, (_, index) => [
        `dev/L${index}`,
        index === levels - 1
          ? "x"
          : `\${secret:dev/L${index + 1}}${index % 4 === 0 ? `\${secret:dev/L${index + 1}}` : ""}`,
      ]),
    );
    const { source, opened } = sourceOf(texts);
    await createInterpolation(source).resolve(await source.open(parseAddress("dev/L0")), []);
    expect(Math.max(...opened.values())).toBeLessThanOrEqual(2);
  });

  it("gives what substituting until nothing is left gives, for any values without a circle", async () => {
    const part = fc.oneof(fc.constantFrom("x", "$", "{", "}", "é"), fc.integer({ min: 0, max: 4 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(part, { maxLength: 6 }), { minLength: 5, maxLength: 5 }), async (values) => {
        // A value refers to those after it only. A dollar right before a reference would be an escape.
        const lines = values.map((parts, index) =>
          parts.map((it) => (typeof it === "string" ? it : it > index ? `|\${secret:dev/V${it}}` : "-")),
        );
        const texts = Object.fromEntries(lines.map((parts, index) => [`dev/V${index}`, parts.join("")]));
        const expand = (text: string): string =>
          text.replace(/\$\{secret:(dev\/V[0-9])\}/g, (_, name: string) => expand(texts[name] ?? ""));
        expect((await resolveIn(texts, "dev/V0")).text).toBe(expand(texts["dev/V0"] ?? ""));
      }),
      { numRuns: 200 },
    );
  });

  it("collects what is missing, and says where each stands", async () => {
    const texts = { "dev/A": "${secret:dev/B} ${secret:dev/X} ${secret:dev/X}", "dev/B": "${secret:dev/Y}" };
    const { missing } = await resolveIn(texts, "dev/A");
    expect(missing.map(({ place, address }) => [place, printAddress(address)])).toEqual([
      ["dev/B", "dev/Y"],
      ["dev/A", "dev/X"],
      ["dev/A", "dev/X"],
    ]);
  });
});
