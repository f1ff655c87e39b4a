import { describe, expect, it } from "vitest";
import { advanceHead } from "../../src/git/advance.ts";
import { commitFiles, commitOnto, findGitDirectories } from "../../src/git/commit.ts";
import { createRepository } from "../support/repository.ts";

describe("moving the present branch on", () => {
  it("moves it over a file that was committed by us just before, whose times git has not written down", async () => {
    const repository = createRepository();
    const place = { root: repository.root, env: repository.env };
    repository.write("a.txt", "one\n");
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "-m", "one");
    const directories = await findGitDirectories(place);
    repository.write("a.txt", "two\n");
    const head = await commitFiles(place, directories, { written: ["a.txt"], removed: [], message: "two" });
    const written = new Map([["a.txt", "three\n"]]);
    const next = await commitOnto(place, directories, { parent: head ?? "", written, removed: [], message: "three" });
    expect(await advanceHead(place, next)).toBe(true);
    expect([repository.read("a.txt"), repository.git("status", "--short")]).toEqual(["three\n", ""]);
    expect(repository.git("rev-parse", "HEAD").trim()).toBe(next);
  });

  it("leaves everything as it was where the user has changed a file that would change", async () => {
    const repository = createRepository();
    const place = { root: repository.root, env: repository.env };
    repository.write("a.txt", "one\n");
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "-m", "one");
    const parent = repository.git("rev-parse", "HEAD").trim();
    const written = new Map([["a.txt", "two\n"]]);
    const directories = await findGitDirectories(place);
    const next = await commitOnto(place, directories, { parent, written, removed: [], message: "two" });
    repository.write("a.txt", "mine\n");
    expect(await advanceHead(place, next)).toBe(false);
    expect([repository.read("a.txt"), repository.git("rev-parse", "HEAD").trim()]).toEqual(["mine\n", parent]);
  });
});
