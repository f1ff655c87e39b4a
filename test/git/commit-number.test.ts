import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { commitNumber } from "../../src/git/commit-number.ts";
import { createRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const place = (root: string) => ({ root, env: process.env });

/** A repository of empty commits, each on the parents that it names. */
function makeHistory(shape: Readonly<Record<string, readonly string[]>>) {
  const { root } = createRepository();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const tree = execFileSync("git", ["mktree"], { cwd: root, input: "", encoding: "utf8" }).trim();
  const ids = new Map<string, string>();
  for (const [name, parents] of Object.entries(shape)) {
    const args = parents.flatMap((parent) => ["-p", ids.get(parent) ?? ""]);
    ids.set(
      name,
      git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit-tree", tree, "-m", name, ...args),
    );
  }
  return { root, git, id: (name: string) => ids.get(name) ?? "" };
}

describe("the number of a commit", () => {
  it("is greater than that of all before it, on whatever side of a merge", async () => {
    const shape = { a: [], b: ["a"], c: ["b"], side: ["a"], foxtrot: ["side", "c"], after: ["foxtrot"] };
    const { root, git, id } = makeHistory(shape);
    const numbers = new Map<string, number>();
    for (const name of Object.keys(shape)) numbers.set(name, await commitNumber(place(root), id(name)));
    expect(Object.fromEntries(numbers)).toEqual({ a: 1, b: 2, c: 3, side: 2, foxtrot: 5, after: 6 });
    // First parents alone would go back where main moves from c to the merge.
    expect(git("rev-list", "--count", "--first-parent", id("foxtrot"))).toBe("3");
    for (const [name, parents] of Object.entries(shape)) {
      for (const parent of parents) expect(numbers.get(name)).toBeGreaterThan(numbers.get(parent) ?? 0);
    }
  });

  it("is the same in another clone, and whatever replace refs and grafts say", async () => {
    const { root, git, id } = makeHistory({ a: [], b: ["a"], c: ["b"] });
    git("update-ref", "refs/heads/main", id("c"));
    const clone = makeThrowAway("sealtree-test-clone-");
    execFileSync("git", ["clone", "--quiet", root, clone]);
    git("replace", id("c"), id("a"));
    writeFileSync(join(clone, ".git", "info", "grafts"), `${id("c")}\n`);
    expect(await commitNumber(place(root), id("c"))).toBe(3);
    expect(await commitNumber(place(clone), id("c"))).toBe(3);
  });

  it("is not known in a shallow clone", async () => {
    const { root, git, id } = makeHistory({ a: [], b: ["a"], c: ["b"] });
    git("update-ref", "refs/heads/main", id("c"));
    const clone = makeThrowAway("sealtree-test-clone-");
    execFileSync("git", ["clone", "--quiet", "--depth=1", "--branch=main", pathToFileURL(root).href, clone]);
    await expect(commitNumber(place(clone), id("c"))).rejects.toMatchObject({
      code: "E_GIT_FAILED",
      hints: expect.arrayContaining([expect.stringContaining("unshallow")]),
    });
  });
});
