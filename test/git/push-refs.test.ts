import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fetchRefs, pushRefs } from "../../src/git/remote-branch.ts";
import { type Fault, type GitServer } from "../support/git-server.ts";
import { guard, main, makeWorld, messageOf, pushNext } from "./served-clone.ts";

describe("pushRefs", () => {
  const both = (commit: string) => [
    { ref: main, commit },
    { ref: guard, commit },
  ];

  it("pushes all of it, without the user's hooks and tags", async () => {
    const { server, clone, first } = await makeWorld();
    const hook = join(clone.place.root, ".git", "hooks", "pre-push");
    mkdirSync(join(hook, ".."), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\nexit 1\n");
    chmodSync(hook, 0o755);
    clone.git("config", "push.followTags", "true");
    const next = clone.commit(first);
    clone.git("tag", "-a", "-m", "a tag", "v1", next);
    expect(await pushRefs(clone.place, "origin", both(next), { isDryRun: true })).toEqual({ kind: "pushed" });
    expect(server.git("rev-parse", "main").trim()).toBe(first);
    expect(await pushRefs(clone.place, "origin", both(next))).toEqual({ kind: "pushed" });
    expect(server.git("for-each-ref", "--format=%(objectname) %(refname)")).toBe(`${next} ${main}\n${next} ${guard}\n`);
  });

  it("moves nothing when one of them is no fast-forward", async () => {
    const { server, clone, other, first } = await makeWorld();
    pushNext(other, server);
    const before = server.git("for-each-ref");
    expect(await pushRefs(clone.place, "origin", both(clone.commit(first)))).toEqual({ kind: "raced" });
    expect(server.git("for-each-ref")).toBe(before);
  });

  it("is raced by a push that the server takes in between", async () => {
    const { server, clone, other, first } = await makeWorld();
    server.onRequest = (request) => {
      if (request !== "push") return;
      server.onRequest = undefined;
      pushNext(other, server);
    };
    expect(await pushRefs(clone.place, "origin", both(clone.commit(first)))).toEqual({ kind: "raced" });
    expect(server.git("for-each-ref", guard)).toBe("");
  });

  it("creates a ref only where it is not there, and moves it only from what it was", async () => {
    const { server, clone, first } = await makeWorld();
    const ref = "refs/sealtree/lease/test";
    const take = async (commit: string, expected: string | undefined) =>
      (await pushRefs(clone.place, "origin", [{ ref, commit, expected: { commit: expected } }])).kind;
    const [one, two] = [clone.commit(first), clone.commit(first)];
    expect(await take(one, undefined)).toBe("pushed");
    expect(await take(two, undefined)).toBe("raced");
    expect(await take(two, two)).toBe("raced");
    expect(server.git("rev-parse", ref).trim()).toBe(one);
    expect(await take(two, one)).toBe("pushed");
    expect(server.git("rev-parse", ref).trim()).toBe(two);
  });

  it("is refused by a protected branch, whole", async () => {
    const { server, clone, first } = await makeWorld();
    server.protect("main");
    const before = server.git("for-each-ref");
    expect(await pushRefs(clone.place, "origin", both(clone.commit(first)))).toEqual({
      kind: "refused",
      why: "[remote rejected] (hook declined)",
    });
    expect(server.git("for-each-ref")).toBe(before);
  });

  it("is refused by a server that cannot take two refs at once", async () => {
    const { server, clone, first } = await makeWorld();
    server.git("config", "receive.advertiseAtomic", "false");
    expect(await pushRefs(clone.place, "origin", both(clone.commit(first)))).toMatchObject({ kind: "refused" });
  });

  it.each([401, 403])("is refused when the remote answers %s", async (status) => {
    const { server, clone, first } = await makeWorld();
    server.spoil("push refs", { kind: "status", status }, 3);
    expect(await pushRefs(clone.place, "origin", both(clone.commit(first)))).toMatchObject({ kind: "refused" });
  });

  const lost: [string, Fault, boolean][] = [
    ["its answer is lost", { kind: "lost answer" }, true],
    ["the connection ends before it", { kind: "hang up" }, false],
    ["the server fails", { kind: "status", status: 500 }, false],
    ["the server is busy", { kind: "status", status: 503 }, false],
  ];

  it.each(lost)("is unknown when %s", async (_, fault, isDone) => {
    const { server, clone, first } = await makeWorld();
    const next = clone.commit(first);
    server.spoil("push", fault);
    expect(await pushRefs(clone.place, "origin", both(next))).toEqual({ kind: "unknown" });
    expect(server.git("rev-parse", "main").trim()).toBe(isDone ? next : first);
    // The same again does no harm, whatever came of the first.
    expect(await pushRefs(clone.place, "origin", both(next))).toEqual({ kind: "pushed" });
  });

  it("is raced by itself when curl sends it twice", async () => {
    const { server, clone, first } = await makeWorld();
    const next = clone.commit(first);
    server.keepsConnections = true;
    server.spoil("push", { kind: "lost answer" });
    expect(await pushRefs(clone.place, "origin", both(next))).toEqual({ kind: "raced" });
    expect(server.git("rev-parse", "main").trim()).toBe(next);
  });

  it("is unknown when the remote is not there", async () => {
    const { server, clone, first } = await makeWorld();
    await server.stop();
    expect(await pushRefs(clone.place, "origin", both(clone.commit(first)))).toEqual({ kind: "unknown" });
  });

  it("takes names that look like options for names", async () => {
    const { server, clone, first } = await makeWorld();
    const next = clone.commit(first);
    const ref = "refs/heads/--force";
    expect(await pushRefs(clone.place, "origin", [{ ref, commit: next }])).toEqual({ kind: "pushed" });
    expect((await fetchRefs(clone.place, "origin", [ref])).get(ref)).toBe(next);
    clone.git("config", "remote.--mirror.url", server.url);
    const outcome = await pushRefs(clone.place, "--mirror", [{ ref: main, commit: next }]);
    expect(outcome.kind).toBe("pushed");
    expect(server.git("rev-parse", ref, main).trim().split("\n")).toEqual([next, next]);
  });
});

describe("what a remote says", () => {
  const addresses: [string, (server: GitServer, secret: string) => string][] = [
    ["as a password", ({ url }, secret) => url.replace("//", `//user:${secret}@`)],
    ["as a user", ({ url }, secret) => url.replace("//", `//${secret}@`)],
    ["with a sign of an address in it", ({ url }, secret) => url.replace("//", `//user:@${secret}@`)],
  ];

  it.each(addresses)("never shows a token that the address has %s", async (_, addressOf) => {
    const { server, clone, first } = await makeWorld();
    const address = addressOf(server, "test-secret-token");
    const { GIT_ASKPASS: _unused, ...env } = clone.place.env;
    const place = { ...clone.place, env };
    const next = clone.commit(first);
    const said = [
      await messageOf(fetchRefs(place, address, [main])),
      JSON.stringify(await pushRefs(place, address, [{ ref: main, commit: next }])),
    ];
    server.spoil("fetch refs", { kind: "status", status: 500 });
    await server.stop();
    said.push(
      await messageOf(fetchRefs(place, address, [main])),
      JSON.stringify(await pushRefs(place, address, [{ ref: main, commit: next }])),
    );
    expect(said[0]).toMatch(/^E_NETWORK/);
    expect(said.join("\n")).not.toContain("test-secret");
  });

  it("brings no control characters with it", async () => {
    const { server, clone, first } = await makeWorld();
    const hook = join(server.folder, "hooks", "update");
    writeFileSync(hook, "#!/bin/sh\nprintf 'fatal: \\033]0;owned\\007\\033[2Jfatal: x\\n' >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    const said = [JSON.stringify(await pushRefs(clone.place, "origin", [{ ref: main, commit: clone.commit(first) }]))];
    const evil = join(server.folder, "evil");
    writeFileSync(evil, "#!/bin/sh\nprintf 'fatal: \\033]0;owned\\007\\033[2J\\r\\233x\\n' >&2\nexit 1\n");
    chmodSync(evil, 0o755);
    for (const command of ["uploadpack", "receivepack"]) clone.git("config", `remote.evil.${command}`, evil);
    clone.git("config", "remote.evil.url", server.folder);
    said.push(
      await messageOf(fetchRefs(clone.place, "evil", [main])),
      JSON.stringify(await pushRefs(clone.place, "evil", [{ ref: main, commit: first }])),
    );
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(said.join("\n").replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]|\\u00/);
  });
});
