import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeMemberFile } from "../../src/history/merge-member-file.ts";
import { UnreadableSide } from "../../src/history/merged-content.ts";

const bytes = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text));
const merge = (base: string | undefined, ours: string | undefined, theirs: string | undefined) =>
  mergeMemberFile({ base: bytes(base), ours: bytes(ours), theirs: bytes(theirs) });

/** A public key of no one: a fixed byte, 32 times. */
function sshKey(fill: number): string {
  const blob = Buffer.concat([Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0 ", "latin1"), Buffer.alloc(32, fill)]);
  return `ssh-ed25519 ${blob.toString("base64")}`;
}

const keys = ["age1test-a", "age1test-b", "age1test-c", "age1test-d"];
const side = fc.subarray(keys, { minLength: 1 });

describe("mergeMemberFile", () => {
  it("has each key that a side added and none that a side removed, whichever way it goes", () => {
    fc.assert(
      fc.property(side, side, side, (base, ours, theirs) => {
        const print = (lines: string[]) => lines.map((line) => `${line}\n`).join("");
        const expected = keys.filter((key) =>
          base.includes(key) ? ours.includes(key) && theirs.includes(key) : ours.includes(key) || theirs.includes(key),
        );
        for (const [one, other] of [[ours, theirs] as const, [theirs, ours] as const]) {
          const merged = merge(print(base), print(one), print(other));
          if (merged.kind === "unmerged") throw new Error(merged.why);
          expect(merged.text?.split("\n").filter(Boolean).toSorted()).toEqual(expected);
          expect(merged.kind).toBe(expected.length === 0 ? "conflict" : "merged");
        }
      }),
    );
  });

  it("knows a key by itself, whatever comment follows it, and keeps its place", () => {
    const [a, b] = [sshKey(1), sshKey(2)];
    const base = `# laptop\n${a} alice@old\n`;
    expect(merge(base, `# laptop\n${a} alice@new\n`, `# laptop\n${a} alice@old\n# desk\n${b}\n`)).toEqual({
      kind: "merged",
      text: `# laptop\n${a} alice@new\n# desk\n${b}\n`,
    });
    expect(merge(base, `${base}age1test\n`, `# laptop\n# signing-key ${a}\n`)).toEqual({
      kind: "merged",
      text: `# laptop\n# signing-key ${a}\nage1test\n`,
    });
    expect(merge(base, `${base}age1test\n`, "# laptop\n")).toMatchObject({ text: "# laptop\nage1test\n" });
  });

  it("joins two files that both sides began", () => {
    expect(merge(undefined, "age1test-a\n", "age1test-b\n")).toEqual({
      kind: "merged",
      text: "age1test-b\nage1test-a\n",
    });
  });

  it("removes a file that one side removed and the other left, and takes no side otherwise", () => {
    expect(merge("age1test-a\n", undefined, "age1test-a\n")).toEqual({ kind: "merged", text: undefined });
    expect(merge("age1test-a\n", undefined, "age1test-b\n")).toEqual({
      kind: "unmerged",
      why: "it was removed on our side and changed on the other",
    });
    expect(merge(undefined, undefined, "age1test-b\n")).toEqual({ kind: "merged", text: "age1test-b\n" });
  });

  it("refuses what is not UTF-8, and names the side", () => {
    const sides = { base: undefined, ours: Buffer.from("a\n"), theirs: Buffer.of(0xff) };
    expect(() => mergeMemberFile(sides)).toThrow(new UnreadableSide("their side: the file is not UTF-8"));
  });
});
