import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../src/resolve/child-environment.ts";
import { Secret } from "../../src/secret/secret.ts";

describe("childEnvironment", () => {
  it("drops our own variables and identities, by name and by content", () => {
    const parent = {
      PATH: "/bin",
      EMPTY: "",
      UNSET: undefined,
      SEALTREE_IDENTITY: "x",
      sealtree_repo: "x",
      SOPS_AGE_KEY_FILE: "x",
      AGE_IDENTITY_FILE: "x",
      MINE: "# test\nAGE-SECRET-KEY-1TESTTESTTEST",
      AGENT: "kept",
    };
    expect(childEnvironment(parent, new Map())).toEqual({ PATH: "/bin", EMPTY: "", AGENT: "kept" });
  });

  it("adds the secrets, which win over the parent", () => {
    const secrets = new Map([
      ["A", Secret.text("new")],
      ["__proto__", Secret.text("é\n")],
    ]);
    expect(Object.entries(childEnvironment({ A: "old", B: "b" }, secrets))).toEqual([
      ["A", "new"],
      ["B", "b"],
      ["__proto__", "é\n"],
    ]);
  });

  it.each([Secret.of(Uint8Array.of(65), "binary"), Secret.of(Uint8Array.of(255), "text"), Secret.text("a\0b")])(
    "refuses a value that no variable can hold",
    (secret) => {
      expect(() => childEnvironment({}, new Map([["KEY_FILE", secret]]))).toThrow(
        expect.objectContaining({ code: "E_VALUE_UNFIT", message: expect.stringContaining("KEY_FILE") }),
      );
    },
  );
});
