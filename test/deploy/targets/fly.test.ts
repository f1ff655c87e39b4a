import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { flyTarget } from "../../../src/deploy/targets/fly.ts";
import { startFakeFly, type FakeFly } from "../../support/fakes/fly.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";

describe("the target fly", () => {
  describesTarget(async () => {
    const fake = await startFakeFly();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: flyTarget.facts(optionsOf(fake)),
      open: async () => await open(fake),
      putForeign: (name, value) => Promise.resolve(fake.put(name, value)),
      peek: () => Promise.resolve(Object.fromEntries([...fake.secrets].map(([name, { value }]) => [name, value]))),
      unreachable: async () => await open(fake, { api: away }),
    };
  });

  describesHttpTarget(async () => {
    const api = await startFakeFly();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, {}, token, timeoutMs),
      look: "GET /apps/{app_name}/secrets",
      write: "POST /apps/{app_name}/secrets",
    };
  });
});

let fly: FakeFly;

beforeEach(async () => {
  fly = await startFakeFly();
});
afterEach(async () => await fly.stop());

describe("the target fly, in one call", () => {
  it("sets and removes together, and makes one version of all", async () => {
    fly.put("OLD", "test");
    fly.put("OTHER", "test of somebody else");
    const target = await open(fly);
    const removes = [...(await inspectByName(target, ["OLD"])).values()];
    const writes = ["ALPHA", "BETA"].map((name) => itemOf(name, `test ${name}`));
    await target.apply({ writes, removes, wanted: writes }, recordProgress());
    expect([...fly.secrets.keys()]).toEqual(["OTHER", "ALPHA", "BETA"]);
    expect(fly.state.version).toBe(2);
  });

  it("makes no version when there is nothing to change", async () => {
    const progress = recordProgress();
    await (await open(fly)).apply({ writes: [], removes: [{ name: "GONE" }], wanted: [] }, progress);
    expect([fly.state.version, progress.doneNames]).toEqual([1, ["GONE"]]);
  });

  it("sees by time and digest that somebody changed a value", async () => {
    const target = await open(fly);
    await writeAll(target, { ALPHA: "test" });
    const before = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    fly.put("ALPHA", "test of somebody else");
    const after = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(after?.changedAtMs).toBeGreaterThan(before?.changedAtMs ?? Infinity);
    expect(after?.revision).not.toBe(before?.revision);
  });

  it("takes no name that leads elsewhere, and no other host", async () => {
    const wrong = [{ app: "../x" }, { app: "A" }, { app: "" }, { api: "https://example.com" }, { token: "t" }];
    const isTaken = (changes: object) => flyTarget.options.safeParse(writtenOf(fly, changes)).success;
    expect([{}, ...wrong].filter(isTaken)).toEqual([{}]);
    expect((await targetFailure((await open(fly, { app: "other" })).inspect(["ALPHA"]))).class).toBe("auth");
  });
});

function optionsOf(fake: FakeFly, changes: object = {}) {
  return flyTarget.options.parse(writtenOf(fake, changes));
}

function writtenOf(fake: FakeFly, changes: object) {
  return { app: "test-app", token: "${env:token}", api: fake.url, ...changes };
}

async function open(fake: FakeFly, changes: object = {}, token = "test-token", timeoutMs?: number) {
  return await flyTarget.open(optionsOf(fake, changes), providerAccess({ token }, timeoutMs));
}
