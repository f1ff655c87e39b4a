import { expect, test } from "vitest";
import { nameSecrets } from "../../src/migrate/secret-names.ts";

const plain = { prefix: "", dots: "keep" } as const;

test("steps are joined, and what a name cannot have becomes _", () => {
  expect(nameSecrets([["a"], ["b", 0, "c"], ["my key/é"]], plain)).toEqual([
    { name: "a", isRenamed: false },
    { name: "b.0.c", isRenamed: false },
    { name: "my_key__", isRenamed: true },
  ]);
  expect(nameSecrets([["b", 0, "c.d"]], { prefix: "X_", dots: "underscore" })).toEqual([
    { name: "X_b_0_c_d", isRenamed: true },
  ]);
});

test("names that cannot be, and names that clash, are refused all together", () => {
  expect(() => nameSecrets([["1a"], ["ok"], [""], ["x".repeat(129)]], plain)).toThrow(
    expect.objectContaining({
      code: "E_NAME_INVALID",
      hints: [
        expect.stringMatching(/^1a: .*--prefix/),
        expect.stringMatching(/^: it is empty/),
        expect.stringContaining("128"),
      ],
    }),
  );
  expect(() => nameSecrets([["a", "b"], ["a.b"], ["c"]], plain)).toThrow(
    expect.objectContaining({ code: "E_NAME_CLASH", hints: expect.arrayContaining(["a.b: a.b, a.b"]) }),
  );
});
