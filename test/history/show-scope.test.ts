import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { showFile } from "../../src/history/show-scope.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import { generationFile, generationId, testFingerprint } from "./made-history.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

const scope = parseScopePath("dev/app");
const show = (text: string | Buffer) => showFile(Buffer.from(text));
const drop = `st1d.${Buffer.concat([
  Buffer.from("01aaaaaaaaaaaaaaaa0000000065530000", "hex"),
  Buffer.from(`age-encryption.org/v1\n-> X25519 ${"A".repeat(43)}\n${"A".repeat(43)}\n--- ${"A".repeat(43)}\n`),
  Buffer.alloc(32),
]).toString("base64url")}`;

describe("showFile", () => {
  it("shows a record by its value, its day and its generation, and a drop as one", () => {
    const entries = makeEntries({ B: drop, A: makeRecord(1, 1) }, { A: [" of the billing team"] });
    expect(show(printScopeFile(scope, entries))).toBe(
      [
        "scope dev/app",
        "",
        "# of the billing team",
        `A: value 00000000, set 2023-11-14, generation ${generationId(1).slice(0, 8)}`,
        "",
        "B: value aaaaaaaa, set 2023-11-14, drop, not adopted yet",
        "",
      ].join("\n"),
    );
  });

  it("shows a generation by its readers", () => {
    const [text = ""] = Object.values(generationFile("dev/app", 1, ["alice", "bob"], ["alice"]));
    expect(show(text)).toBe(
      [
        `generation ${generationId(1)} of scope dev/app`,
        "after none, made 2023-11-14",
        "could read when it was made:",
        `  alice ${testFingerprint("alice")}`,
        `  bob ${testFingerprint("bob")}`,
        "can open it:",
        `  alice ${testFingerprint("alice")}`,
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["nothing at all", "", "<not a scope file: line 1>\n"],
    ["another file", "API_KEY=canary-value\n", "<not a scope file: line 1>\n"],
    ["a scope that is none", "$sealtree: 1\n$scope: ../canary\n", "<not a scope file: line 2>\n"],
    ["a plaintext value", "$sealtree: 1\n$scope: dev/app\n\nA: canary-value\n", "<not a scope file: line 4>\n"],
    [
      "conflict markers",
      `$sealtree: 1\n$scope: dev/app\n\n<<<<<<< ours\nA: ${makeRecord(1, 1)}\n`,
      "<not a scope file: line 4>\n",
    ],
    [
      "a comment with an escape",
      "$sealtree: 1\n$scope: dev/app\n\n# \u001b[2J\nA: st1.AA\n",
      "<not a scope file: line 4>\n",
    ],
    [
      "a record that is none",
      "$sealtree: 1\n$scope: dev/app\n\nA: st1.AA\n",
      "scope dev/app\n\nA: a record that is malformed\n",
    ],
    [
      "a generation file cut off",
      `$sealtree: 1\n$scope: dev/app\ngeneration: ${generationId(1)}\nprevious: none\n`,
      "<not a generation file>\n",
    ],
  ])("says no more of %s than that it is none of ours", (_, text, expected) => {
    expect(show(text)).toBe(expected);
  });

  it("shows a file in conflict by both sides of what differs, with the base of diff3 left out", () => {
    const [one, other, base] = [1, 2, 3].map((number) => makeRecord(number, 1));
    const conflict = (markers: string) => `$sealtree: 1\n$scope: dev/app\n\n${markers}\nZ: ${one ?? ""}\n`;
    const seen = (valueId: string) => `value ${valueId}, set 2023-11-14, generation ${generationId(1).slice(0, 8)}`;
    const first = show(conflict(`<<<<<<< ours\n# why\nA: ${one ?? ""}\n=======\nA: ${other ?? ""}\n>>>>>>> theirs\n`));
    const zed = /Z: (?<seen>.*)\n$/.exec(first)?.groups?.["seen"] ?? "";
    expect(zed).toBe(seen(zed.slice(6, 14)));
    expect(first).toMatch(
      /^scope dev\/app\n\n<<<<<<< ours\n# why\nA: value .*\n=======\nA: value .*\n>>>>>>> theirs\n\nZ: value .*\n$/,
    );
    const markers = `<<<<<<< HEAD\nA: ${one ?? ""}\n||||||| 1a2b3c4\nA: ${base ?? ""}\n=======\n>>>>>>> topic\n`;
    expect(show(conflict(markers))).toMatch(/\n<<<<<<< ours\nA: value .*\n=======\n>>>>>>> theirs\n/);
    for (const odd of [
      "=======\n",
      "<<<<<<< a\n<<<<<<< b\n=======\n>>>>>>> c\n",
      "<<<<<<< a\nA: canary-value\n=======\n>>>>>>> c\n",
    ])
      expect(show(conflict(odd))).toBe("<not a scope file: line 4>\n");
  });

  it("prints no control character, whatever it is given, and nothing long", () => {
    const piece = fc.constantFrom(
      "$sealtree: 1\n",
      "$scope: dev/app\n",
      "\n",
      "# c",
      "\u001b[2J",
      "A: ",
      makeRecord(1, 1),
      "x".repeat(70_000),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((it) => Buffer.from(it.join(""))),
          fc.uint8Array().map((it) => Buffer.from(it)),
        ),
        (bytes) => {
          const text = show(bytes);
          // oxlint-disable-next-line no-control-regex -- the point is that there is none
          expect(text).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$/);
          expect(text).not.toContain("st1.");
        },
      ),
    );
    expect(show("A".repeat(4_000_000))).toBe("<not a scope file: line 1>\n");
  });
});
