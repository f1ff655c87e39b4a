import { describe, expect, it } from "vitest";
import { fetchRefs, findRemoteBranch, isInHistory } from "../../src/git/remote-branch.ts";
import { cloneOf, guard, main, makeRepository, makeWorld, messageOf, pushNext } from "./served-clone.ts";

describe("findRemoteBranch", () => {
  const empty = () => {
    const clone = makeRepository();
    clone.git("commit", "--quiet", "--allow-empty", "-m", "first");
    return clone;
  };

  it("is the upstream, also under another name", async () => {
    const { place, git } = empty();
    git("remote", "add", "one", "/nowhere/one");
    git("remote", "add", "two", "/nowhere/two");
    git("config", "branch.main.remote", "two");
    git("config", "branch.main.merge", "refs/heads/release/1");
    expect(await findRemoteBranch(place)).toEqual({ remote: "two", branch: "release/1" });
  });

  it("is the branch of the same name at the only remote", async () => {
    const { place, git } = empty();
    git("remote", "add", "elsewhere", "/nowhere");
    expect(await findRemoteBranch(place)).toEqual({ remote: "elsewhere", branch: "main" });
    git("config", "branch.main.remote", ".");
    git("config", "branch.main.merge", "refs/heads/other");
    expect(await findRemoteBranch(place)).toEqual({ remote: "elsewhere", branch: "main" });
  });

  it("is a branch whose name looks like an option, or like a setting", async () => {
    const { place, git } = empty();
    git("remote", "add", "elsewhere", "/nowhere");
    for (const name of ["--force", "a.b=c", "ä b".replace(" ", "")]) {
      git("symbolic-ref", "HEAD", `refs/heads/${name}`);
      expect(await findRemoteBranch(place)).toEqual({ remote: "elsewhere", branch: name });
    }
  });

  it("says what is missing", async () => {
    const { place, git } = empty();
    const said = async () => await messageOf(findRemoteBranch(place));
    expect(await said()).toBe("E_NO_REMOTE there is no remote");
    git("remote", "add", "one", "/nowhere/one");
    git("remote", "add", "two", "/nowhere/two");
    expect(await said()).toBe("E_NO_REMOTE no upstream is set for main");
    git("checkout", "--quiet", "--detach");
    expect(await said()).toBe("E_NO_REMOTE HEAD is at a commit and on no branch");
  });
});

describe("fetchRefs", () => {
  it("gives what is there, without what is not, and moves nothing of the user's", async () => {
    const { server, clone, other } = await makeWorld();
    const next = pushNext(other, server);
    const before = clone.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags");
    const found = await fetchRefs(clone.place, "origin", [main, guard, "refs/heads/--all", "refs/heads/*"]);
    expect([...found]).toEqual([[main, next]]);
    expect(clone.git("cat-file", "-t", next).trim()).toBe("commit");
    expect(clone.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags")).toBe(before);
  });

  it("fetches nothing that is here already", async () => {
    const { server, clone } = await makeWorld();
    const asked = { ...server.asked };
    await fetchRefs(clone.place, "origin", [main]);
    // Version 2 of the protocol asks for the list of refs in a call of its own.
    expect(server.asked["fetch refs"] - asked["fetch refs"]).toBe(1);
    expect(server.asked.fetch - asked.fetch).toBe(1);
  });

  it("gives the newer state of what moved between the two questions", async () => {
    const { server, clone, other } = await makeWorld();
    const first = pushNext(other, server);
    let second: string | undefined;
    server.onRequest = (request) => {
      if (request === "fetch refs" && server.asked["fetch refs"] % 2 === 0) second ??= pushNext(other, server, first);
    };
    const start = server.asked["fetch refs"];
    if (start % 2 === 1) await fetchRefs(clone.place, "origin", ["refs/heads/none"]);
    const found = await fetchRefs(clone.place, "origin", [main]);
    expect(second).toBeDefined();
    expect(found.get(main)).toBe(second);
  });

  it("gives refs of one moment, also where one of them was here already", async () => {
    const { server, other, first } = await makeWorld();
    const second = pushNext(other, server);
    const shallow = cloneOf(server, "--depth=1");
    other.git("push", "--quiet", server.folder, `${first}:${guard}`);
    let third: string | undefined;
    server.onRequest = (request) => {
      if (request !== "fetch refs" || server.asked["fetch refs"] < 2 || third !== undefined) return;
      third = pushNext(other, server, second);
      other.git("push", "--quiet", server.folder, `${third}:${guard}`);
    };
    const found = await fetchRefs(shallow.place, "origin", [main, guard]);
    expect([...found]).toEqual([
      [main, third],
      [guard, third],
    ]);
  });

  it("works for several at once in one clone", async () => {
    const { server, clone, other } = await makeWorld();
    let parent: string | undefined;
    for (let round = 0; round < 3; round++) {
      const next = (parent = pushNext(other, server, parent));
      const all = await Promise.all([1, 2, 3].map(() => fetchRefs(clone.place, "origin", [main])));
      expect(all.map((found) => found.get(main))).toEqual([next, next, next]);
    }
  });

  it("reads a rewritten branch", async () => {
    const { server, clone, other } = await makeWorld();
    await fetchRefs(clone.place, "origin", [main]);
    const root = other.git("commit-tree", `${server.git("rev-parse", "main^{tree}").trim()}`, "-m", "rewritten").trim();
    other.git("push", "--quiet", "--force", server.folder, `${root}:${main}`);
    expect((await fetchRefs(clone.place, "origin", [main])).get(main)).toBe(root);
  });

  it("says that a remote does not answer", async () => {
    const { server, clone } = await makeWorld();
    for (const fault of [{ kind: "hang up" }, { kind: "status", status: 503 }] as const) {
      server.spoil("fetch refs", fault);
      expect(await messageOf(fetchRefs(clone.place, "origin", [main]))).toMatch(/^E_NETWORK git ls-remote /);
    }
    await server.stop();
    expect(await messageOf(fetchRefs(clone.place, "origin", [main]))).toMatch(/^E_NETWORK git ls-remote /);
  });
});

describe("isInHistory", () => {
  it("tells what is behind a commit from what is beside it", async () => {
    const { server, clone, other, first } = await makeWorld();
    const tip = pushNext(other, server);
    const beside = clone.commit(first);
    await fetchRefs(clone.place, "origin", [main]);
    const { place } = clone;
    expect(await isInHistory(place, "origin", first, tip)).toBe(true);
    expect(await isInHistory(place, "origin", tip, tip)).toBe(true);
    expect(await isInHistory(place, "origin", tip, first)).toBe(false);
    expect(await isInHistory(place, "origin", beside, tip)).toBe(false);
    expect(await isInHistory(place, "origin", "0123456789".repeat(4), tip)).toBe(false);
  });

  it("fetches the rest of a shallow history when that is needed to tell", async () => {
    const { server, other, first } = await makeWorld();
    const second = pushNext(other, server);
    const tip = pushNext(other, server, second);
    const shallow = cloneOf(server, "--depth=1");
    const refs = shallow.git("for-each-ref");
    const { place } = shallow;
    expect(await isInHistory(place, "origin", tip, tip)).toBe(true);
    expect(shallow.git("rev-parse", "--is-shallow-repository").trim()).toBe("true");
    other.git("push", "--quiet", server.folder, `${first}:${guard}`);
    const found = await fetchRefs(place, "origin", [main, guard]);
    expect([...found]).toEqual([
      [main, tip],
      [guard, first],
    ]);
    expect(await isInHistory(place, "origin", first, tip)).toBe(true);
    expect(await isInHistory(place, "origin", other.commit(first), tip)).toBe(false);
    expect(shallow.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags")).toBe(
      refs.replaceAll(/.*refs\/sealtree.*\n/g, ""),
    );
  });
});
