import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { herokuTarget } from "../../../src/deploy/targets/heroku.ts";
import { startFakeHeroku, type FakeHeroku } from "../../support/fakes/heroku.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { nastyValues } from "../../support/nasty-values.ts";
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

describe("the target heroku", () => {
  describesTarget(async () => {
    const fake = await startFakeHeroku();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: herokuTarget.facts(optionsOf(fake)),
      open: async () => await open(fake),
      putForeign: (name, value) => Promise.resolve(void fake.vars.set(name, value)),
      peek: () => Promise.resolve(Object.fromEntries(fake.vars)),
      unreachable: async () => await open(fake, { api: away }),
    };
  });

  describesHttpTarget(async () => {
    const api = await startFakeHeroku();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, {}, token, timeoutMs),
      look: "GET /apps/{app}/config-vars",
      write: "PATCH /apps/{app}/config-vars",
    };
  });
});

let heroku: FakeHeroku;

beforeEach(async () => {
  heroku = await startFakeHeroku();
});
afterEach(async () => await heroku.stop());

describe("the target heroku, with its restarts", () => {
  it("changes all in one release, and makes none when nothing differs", async () => {
    heroku.vars.set("OTHER", "test of somebody else").set("OLD", "test");
    const target = await open(heroku);
    const removes = [...(await inspectByName(target, ["OLD"])).values()];
    const writes = ["ALPHA", "BETA"].map((name) => itemOf(name, `test ${name}`));
    const change = { writes, removes, wanted: writes };
    await target.apply(change, recordProgress());
    expect([...heroku.vars.keys()]).toEqual(["OTHER", "ALPHA", "BETA"]);
    const progress = recordProgress();
    await target.apply(change, progress);
    expect(progress.doneNames).toEqual(["ALPHA", "BETA", "OLD"]);
    expect(heroku.state.releases).toBe(1);
  });

  it("reads back every value as it was sent", async () => {
    const target = await open(heroku);
    const texts = Object.entries(nastyValues).filter(([name]) => !["NUL", "NOT_UTF8", "MIB"].includes(name));
    const values = { ...Object.fromEntries(texts.map(([name, bytes]) => [name, bytes.toString()])), __proto_: "test" };
    await writeAll(target, values);
    const found = await inspectByName(target, [...Object.keys(values), "constructor"]);
    expect(Object.fromEntries([...found].map(([name, it]) => [name, it.value?.revealText()]))).toEqual(values);
  });

  it("changes nothing where an add-on holds a name", async () => {
    heroku.vars.set("DATABASE_URL", "test");
    heroku.attached.add("DATABASE_URL");
    const target = await open(heroku);
    expect((await targetFailure(writeAll(target, { ALPHA: "test", DATABASE_URL: "test new" }))).class).toBe("rejected");
    expect([...heroku.vars]).toEqual([["DATABASE_URL", "test"]]);
  });

  it("takes no name that leads elsewhere or that Heroku keeps for itself, and no other host", async () => {
    const wrong = [{ app: "../x" }, { app: "A" }, { app: "" }, { api: "https://example.com" }, { token: "t" }];
    const isTaken = (changes: object) => herokuTarget.options.safeParse(writtenOf(heroku, changes)).success;
    expect([{}, ...wrong].filter(isTaken)).toEqual([{}]);
    expect("HEROKU_APP").not.toMatch(herokuTarget.facts(optionsOf(heroku)).nameRule.pattern);
    expect((await targetFailure((await open(heroku, { app: "other" })).inspect(["ALPHA"]))).class).toBe("auth");
  });
});

function optionsOf(fake: FakeHeroku, changes: object = {}) {
  return herokuTarget.options.parse(writtenOf(fake, changes));
}

function writtenOf(fake: FakeHeroku, changes: object) {
  return { app: "test-app", token: "${env:token}", api: fake.url, ...changes };
}

async function open(fake: FakeHeroku, changes: object = {}, token = "test-token", timeoutMs?: number) {
  return await herokuTarget.open(optionsOf(fake, changes), providerAccess({ token }, timeoutMs));
}
