import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printAddress } from "../../src/secret/address.ts";
import { findWholeReference, printReference, splitReferences } from "../../src/secret/reference.ts";

describe("splitReferences", () => {
  it.each([
    ["${secret:prod/api/KEY}", ["<prod/api/KEY>"]],
    ["a ${secret:dev/K} b ${secret:dev/a.b-c}", ["a ", "<dev/K>", " b ", "<dev/a.b-c>"]],
    ["$${secret:dev/K}", ["${secret:dev/K}"]],
    ["$$${secret:dev/K}", ["$", "<dev/K>"]],
    ["$$$${secret:dev/K}", ["$${secret:dev/K}"]],
    [
      "${HOME} $${HOME} $(id) ${secrets:x} ${secret} ${SECRET:-x}",
      ["${HOME} $${HOME} $(id) ${secrets:x} ${secret} ${SECRET:-x}"],
    ],
    ["", []],
    ["${secret:dev/K", ["!", "dev/K"]],
    ["${secret:}", ["!", "}"]],
    ["${secret:dev}", ["!", "dev}"]],
    ["${secret: dev/K}", ["!", " dev/K}"]],
    ["${secret:Dev/K}", ["!", "Dev/K}"]],
    ["${secret:dev/K=x}", ["!", "dev/K=x}"]],
    ["${secret:dev/${secret:dev/K}}", ["!", "dev/", "<dev/K>", "}"]],
    ["${secret:-fallback}", ["!", "-fallback}"]],
    ["${secret:dev/__proto__}", ["<dev/__proto__>"]],
  ])("splits %j", (text, expected) => {
    const shown = splitReferences(text).map((piece) =>
      piece.kind === "text" ? piece.text : piece.kind === "reference" ? `<${printAddress(piece.address)}>` : "!",
    );
    expect(shown).toEqual(expected);
  });

  it("takes no longer for a mebibyte of dollars than for other text", () => {
    const text = `${"$".repeat(1 << 20)} ${"{secret:".repeat(1 << 17)}\${secret:dev/K}`;
    expect(splitReferences(text).map(({ kind }) => kind)).toEqual(["text", "reference"]);
  });

  it("gives pieces that lie side by side and cover the text", () => {
    const part = fc.constantFrom("$", "{secret:", "dev/K", "}", "${secret:dev/K}", "x", "\n", "é", "😀");
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join("");
        const pieces = splitReferences(text);
        let end = 0;
        for (const piece of pieces) {
          expect(piece.start).toBe(end);
          ({ end } = piece);
          if (piece.kind === "reference") expect(text.slice(piece.start, end)).toBe(printReference(piece.address));
        }
        expect(end).toBe(text.length);
      }),
    );
  });

  it("gives any text back that is escaped by doubling the dollars before {secret:", () => {
    const part = fc.constantFrom("$", "{secret:", "dev/K}", "x");
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join("");
        const escaped = text.replaceAll(/\$+(?=\{secret:)/g, "$&$&");
        expect(
          splitReferences(escaped)
            .map((piece) => (piece.kind === "text" ? piece.text : "!"))
            .join(""),
        ).toBe(text);
      }),
    );
  });
});

describe("findWholeReference", () => {
  it("takes one reference and nothing else", () => {
    expect(findWholeReference("${secret:dev/K}")).toEqual({ scope: "dev", name: "K" });
    for (const text of [
      "",
      "x",
      "${secret:dev/K} ",
      " ${secret:dev/K}",
      "$${secret:dev/K}",
      "${secret:dev}",
      "${env:K}",
    ])
      expect(findWholeReference(text)).toBeUndefined();
  });
});
