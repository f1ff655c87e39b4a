import { describe, expect, it } from "vitest";
import { isSealtreeError } from "../../../src/errors.ts";
import { openRotationBranch } from "../../../src/rotation/rotation-branch.ts";
import { startGitServer } from "../../support/git-server.ts";
import { findDamage } from "./damage.ts";
import { ModelProvider } from "./model-provider.ts";
import { sessionIn } from "./run-engine.ts";
import { createWorld } from "./world.ts";

describe("the branch on which rotations are recorded", () => {
  it("is asked for once when many ask at the same time", async () => {
    const world = await createWorld(new ModelProvider("two keys"), { serve: startGitServer });
    const { server, env } = world;
    const session = sessionIn({ root: world.clone(), env, now: () => new Date(world.nowMs) });
    const branch = await openRotationBranch(session, { remote: "origin", branch: "main" });
    await world.person(async ({ git }) => void git("commit", "--quiet", "--allow-empty", "-m", "work of a person"));
    const views = await Promise.all([1, 2, 3, 4, 5, 6].map(() => branch.sync()));
    expect(new Set(views.map(({ commit }) => commit))).toEqual(new Set([world.git("rev-parse", "main").trim()]));
    // The list once for ls-remote and once for the fetch.
    expect(server?.asked["fetch refs"]).toBe(2);
    branch.close();
  });

  it("is never shown with the token that the address of the remote has", async () => {
    const world = await createWorld(new ModelProvider("two keys"), { serve: startGitServer });
    const { server, env } = world;
    if (server === undefined) throw new Error("it was asked for");
    const session = sessionIn({ root: world.clone(), env, now: () => new Date(world.nowMs) });
    const messageOf = async (work: Promise<unknown>) => {
      const error: unknown = await work.catch((thrown: unknown) => thrown);
      return isSealtreeError(error) ? [error.code, error.message, ...error.hints].join("\n") : "";
    };
    const open = (branch: string) => openRotationBranch(session, { remote: server.urlWithToken, branch });
    const missing = await open("none");
    expect(await messageOf(missing.sync())).toContain("E_NO_REMOTE");
    const branch = await open("main");
    await branch.sync();
    server.spoil("push refs", { kind: "status", status: 403 }, 3);
    const said = [await messageOf(missing.sync()), await messageOf(branch.checkPush())];
    server.spoil("push refs", { kind: "status", status: 500 }, 3);
    said.push(await messageOf(branch.checkPush()));
    await server.stop();
    said.push(await messageOf(branch.sync()), await messageOf(branch.checkPush()));
    for (const code of ["E_NO_REMOTE", "E_PUSH_REFUSED", "E_NETWORK"]) expect(said.join("\n")).toContain(code);
    expect(said.join("\n")).not.toContain(server.token);
    branch.close();
  });

  it("knows its own push again when curl sent it twice", async () => {
    const world = await createWorld(new ModelProvider("two keys"), { serve: startGitServer });
    const { server } = world;
    if (server === undefined) throw new Error("it was asked for");
    server.keepsConnections = true;
    server.spoil("push", { kind: "lost answer" });
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(server.asked.push).toBe(4);
    expect(world.provider.live.size).toBe(2);
    expect(await findDamage(world)).toEqual([]);
  });
});
