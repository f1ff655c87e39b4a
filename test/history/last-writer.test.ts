import { describe, expect, it } from "vitest";
import { findLastWriter } from "../../src/history/last-writer.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { makeHistory, placeOf, scopeFile, type MadeCommit } from "./made-history.ts";

const address = parseAddress("dev/app/A");

function createHistory(commits: readonly MadeCommit[]): { repository: TestRepository; ids: string[] } {
  const repository = createRepository();
  const ids = makeHistory(repository, commits);
  repository.git("reset", "--quiet", "--hard");
  return { repository, ids };
}

describe("findLastWriter", () => {
  it("is who set the value on its side of a merge, not who merged two changes of the scope", async () => {
    const { repository, ids } = createHistory([
      { files: scopeFile("dev/app", { A: [1, 1], B: [2, 1] }) },
      { files: scopeFile("dev/app", { A: [3, 1], B: [2, 1] }) },
      { parents: [0], files: scopeFile("dev/app", { A: [1, 1], B: [4, 1] }) },
      { parents: [2, 1], files: scopeFile("dev/app", { A: [3, 1], B: [4, 1] }) },
    ]);
    expect(await findLastWriter(placeOf(repository), address)).toEqual({
      name: "Writer 1",
      email: "writer-1@example.test",
      commit: ids[1],
      at: expect.stringMatching(/^2023-11-14T22:13:21/),
    });
    expect((await findLastWriter(placeOf(repository), parseAddress("dev/app/B")))?.commit).toBe(ids[2]);
  });

  it("is who merged, when the merge has a value that neither side had", async () => {
    const { repository, ids } = createHistory([
      { files: scopeFile("dev/app", { A: [1, 1] }) },
      { files: scopeFile("dev/app", { A: [2, 1] }) },
      { parents: [0], files: scopeFile("dev/app", { A: [3, 1] }) },
      { parents: [1, 2], files: scopeFile("dev/app", { A: [4, 1] }) },
    ]);
    expect((await findLastWriter(placeOf(repository), address))?.commit).toBe(ids[3]);
  });

  it("is the newest who gave it that value, and not who sealed it again", async () => {
    const { repository, ids } = createHistory([
      { files: scopeFile("dev/app", { A: [1, 1] }) },
      { files: scopeFile("dev/app", { A: [2, 1] }) },
      { files: scopeFile("dev/app", { A: [1, 1] }) },
      { files: scopeFile("dev/app", { A: [1, 2] }) },
      { files: scopeFile("dev/app", { A: [1, 2], B: [9, 2] }) },
    ]);
    expect((await findLastWriter(placeOf(repository), address))?.commit).toBe(ids[2]);
    expect((await findLastWriter(placeOf(repository), address, ids[1]))?.commit).toBe(ids[1]);
  });

  it("is nobody for a value that is not committed, and the one before at HEAD", async () => {
    const { repository, ids } = createHistory([{ files: scopeFile("dev/app", { A: [1, 1] }) }]);
    for (const [path, text] of Object.entries(scopeFile("dev/app", { A: [2, 1], B: [3, 1] })))
      repository.write(path, text);
    expect(await findLastWriter(placeOf(repository), address)).toBeUndefined();
    expect(await findLastWriter(placeOf(repository), parseAddress("dev/app/B"))).toBeUndefined();
    expect((await findLastWriter(placeOf(repository), address, "HEAD"))?.commit).toBe(ids[0]);
  });

  it("is nobody in a repository without commits, and for a secret that is not there", async () => {
    expect(await findLastWriter(placeOf(createRepository()), address)).toBeUndefined();
    const { repository } = createHistory([{ files: scopeFile("dev/app", { B: [1, 1] }) }]);
    expect(await findLastWriter(placeOf(repository), address)).toBeUndefined();
  });
});
