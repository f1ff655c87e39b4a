import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { vercelTarget } from "../../../src/deploy/targets/vercel.ts";
import { startFakeVercel, type FakeVercel } from "../../support/fakes/vercel.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import { describesTarget, inspectByName, targetFailure, writeAll } from "../../support/target-contract.ts";

const upsert = "POST /v10/projects/{idOrName}/env";

describe("the target vercel", () => {
  describesTarget(async () => {
    const fake = await startFakeVercel();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: vercelTarget.facts(optionsOf(fake)),
      open: async () => await open(fake),
      putForeign: (key, value) => Promise.resolve(fake.put({ key, value })),
      peek: () => Promise.resolve(Object.fromEntries(fake.variables.map(({ key, value }) => [key, value]))),
      unreachable: async () => await open(fake, { api: away }),
    };
  });

  describesHttpTarget(async () => {
    const api = await startFakeVercel();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, {}, token, timeoutMs),
      look: "GET /v9/projects/{idOrName}/env",
      write: upsert,
    };
  });
});

let vercel: FakeVercel;

beforeEach(async () => {
  vercel = await startFakeVercel();
});
afterEach(async () => await vercel.stop());

describe("the target vercel, with its environments", () => {
  it("writes all in one call, as values that nobody can read again", async () => {
    const target = await open(vercel, { targets: ["preview", "production"] });
    await writeAll(target, { ALPHA: "test one", BETA: "test two", GAMMA: "test three" });
    expect(vercel.requests.filter((it) => it === upsert).length).toBe(1);
    expect(new Set(vercel.variables.map(({ type }) => type))).toEqual(new Set(["sensitive"]));
    await writeAll(await open(vercel, { targets: ["development"] }), { DELTA: "test" });
    expect(vercel.variables.at(-1)).toMatchObject({ type: "encrypted", target: ["development"] });
  });

  it("leaves the same key of other environments and branches alone", async () => {
    vercel.put({ key: "ALPHA", value: "test of preview", target: ["preview"] });
    vercel.put({ key: "ALPHA", value: "test of branch", target: ["preview"], gitBranch: "test-branch" });
    const target = await open(vercel);
    expect(await target.inspect(["ALPHA"])).toEqual([]);
    await writeAll(target, { ALPHA: "test of production" });
    const values = vercel.variables.map(({ value }) => value);
    expect(values).toEqual(["test of preview", "test of branch", "test of production"]);
    const branch = await open(vercel, { targets: ["preview"], branch: "test-branch" });
    await writeAll(branch, { ALPHA: "test new" });
    expect(vercel.variables.map(({ value }) => value)).toEqual(["test of preview", "test new", "test of production"]);
  });

  it("does not touch a variable that other environments share", async () => {
    vercel.put({ key: "ALPHA", value: "test of both", target: ["production", "preview"] });
    const target = await open(vercel);
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.blocked).toContain("split it there first");
    const { failures } = await writeAll(target, { ALPHA: "test new" });
    expect(failures.get("ALPHA")?.class).toBe("rejected");
    expect(vercel.variables.map(({ value }) => value)).toEqual(["test of both"]);
  });

  it("tells which variables Vercel did not take", async () => {
    const { doneNames, failures } = await writeAll(await open(vercel), {
      ALPHA: "test",
      VERCEL_URL: "test",
      BETA: "test",
    });
    expect(doneNames).toEqual(["ALPHA", "BETA"]);
    expect([...failures.keys()]).toEqual(["VERCEL_URL"]);
    vercel.failNext(upsert, {
      status: 201,
      json: { created: [], failed: [{ error: { code: "X", message: "test" } }] },
    });
    expect((await targetFailure(writeAll(await open(vercel), { ALPHA: "test" }))).class).toBe("unknown");
  });

  it("knows when a variable changed there", async () => {
    const target = await open(vercel);
    await writeAll(target, { ALPHA: "test" });
    const before = (await inspectByName(target, ["ALPHA"])).get("ALPHA")?.changedAtMs ?? 0;
    await writeAll(await open(vercel), { ALPHA: "test of somebody else" });
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.changedAtMs).toBeGreaterThan(before);
  });

  it("takes no name that leads elsewhere, and a branch for previews alone", async () => {
    const right = { project: "test-project", targets: ["preview"], token: "${env:token}" };
    expect(vercelTarget.options.safeParse({ ...right, branch: "feature/x" }).success).toBe(true);
    const wrong = [
      { project: ".." },
      { project: "a/b" },
      { team: "test" },
      { targets: [] },
      { targets: ["preview", "preview"] },
      { targets: ["production"], branch: "x" },
      { api: "https://example.com" },
    ];
    const isTaken = (changes: object) => vercelTarget.options.safeParse({ ...right, ...changes }).success;
    expect(wrong.filter(isTaken)).toEqual([]);
    expect((await targetFailure((await open(vercel, { team: "team_other" })).inspect(["ALPHA"]))).class).toBe("auth");
  });
});

function optionsOf(fake: FakeVercel, changes: object = {}) {
  const written = { project: "test-project", team: "team_test", targets: ["production"], token: "${env:token}" };
  return vercelTarget.options.parse({ ...written, api: fake.url, ...changes });
}

async function open(fake: FakeVercel, changes: object = {}, token = "test-token", timeoutMs?: number) {
  return await vercelTarget.open(optionsOf(fake, changes), providerAccess({ token }, timeoutMs));
}
