import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { netlifyTarget } from "../../../src/deploy/targets/netlify.ts";
import { startFakeNetlify, type FakeNetlify } from "../../support/fakes/netlify.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";

describe("the target netlify", () => {
  describesTarget(async () => {
    const fake = await startFakeNetlify();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: netlifyTarget.facts(optionsOf(fake)),
      open: async () => await open(fake),
      putForeign: (key, value) => Promise.resolve(fake.put(key, { production: value })),
      peek: () => Promise.resolve(Object.fromEntries(fake.variables.map((it) => [it.key, it.values[0]?.value ?? ""]))),
      unreachable: async () => await open(fake, { api: away }),
    };
  });

  describesHttpTarget(async () => {
    const api = await startFakeNetlify();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, {}, token, timeoutMs),
      look: "GET /accounts/{account_id}/env",
      write: "POST /accounts/{account_id}/env",
      rewrite: "PATCH /accounts/{account_id}/env/{key}",
    };
  });
});

let netlify: FakeNetlify;

beforeEach(async () => {
  netlify = await startFakeNetlify();
});
afterEach(async () => await netlify.stop());

describe("the target netlify, with its contexts", () => {
  it("makes secrets, with a value for each context", async () => {
    const contexts = ["production", "branch:feature/x:y"];
    await writeAll(await open(netlify, { contexts, scopes: ["functions"] }), { ALPHA: "test" });
    expect(netlify.variables).toMatchObject([
      {
        is_secret: true,
        scopes: ["functions"],
        values: [{ context: "production" }, { context: "branch", context_parameter: "feature/x:y", value: "test" }],
      },
    ]);
  });

  it("keeps the values of other contexts, when it writes and when it removes", async () => {
    netlify.put("ALPHA", { "deploy-preview": "test of previews", dev: "test of dev" });
    const target = await open(netlify);
    expect(await target.inspect(["ALPHA"])).toEqual([]);
    await writeAll(target, { ALPHA: "test of production" });
    const valuesOf = () => netlify.variables[0]?.values.map(({ context, value }) => [context, value]);
    expect(valuesOf()).toEqual([
      ["deploy-preview", "test of previews"],
      ["dev", "test of dev"],
      ["production", "test of production"],
    ]);
    const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    if (found === undefined) throw new Error("it is not there");
    await target.apply({ writes: [], removes: [found], wanted: [] }, recordProgress());
    expect(valuesOf()?.map(([context]) => context)).toEqual(["deploy-preview", "dev"]);
  });

  it("does not write over a variable that is no secret", async () => {
    netlify.put("ALPHA", { all: "test" }, { is_secret: false });
    netlify.put("BETA", { production: "test" }, { is_secret: false });
    const found = await inspectByName(await open(netlify), ["ALPHA", "BETA"]);
    expect([...found.values()].map(({ blocked }) => blocked)).toEqual([
      expect.stringContaining("not a secret"),
      expect.stringContaining("not a secret"),
    ]);
  });

  it("tells of a variable that Netlify does not take, and goes on", async () => {
    const { doneNames, failures } = await writeAll(await open(netlify), {
      ALPHA: "test",
      _BETA: "test",
      GAMMA: "test",
    });
    expect(doneNames).toEqual(["ALPHA", "GAMMA"]);
    expect(failures.get("_BETA")?.class).toBe("rejected");
    expect("_BETA").not.toMatch(netlifyTarget.facts(optionsOf(netlify)).nameRule.pattern);
  });

  it("takes no name that leads elsewhere, and no context of local development", async () => {
    const wrong = [
      { account: "a/b" },
      { site: "x" },
      { contexts: [] },
      { contexts: ["dev"] },
      { contexts: ["all"] },
      { contexts: ["production", "production"] },
      { scopes: ["post-processing"] },
      { api: "https://example.com" },
    ];
    const isTaken = (changes: object) => netlifyTarget.options.safeParse(writtenOf(netlify, changes)).success;
    expect([{}, ...wrong].filter(isTaken)).toEqual([{}]);
    expect((await targetFailure((await open(netlify, { account: "other" })).inspect(["ALPHA"]))).class).toBe("auth");
  });
});

function optionsOf(fake: FakeNetlify, changes: object = {}) {
  return netlifyTarget.options.parse(writtenOf(fake, changes));
}

function writtenOf(fake: FakeNetlify, changes: object) {
  const written = { account: "test-team", site: fake.site, contexts: ["production"], token: "${env:token}" };
  return { ...written, api: fake.url, ...changes };
}

async function open(fake: FakeNetlify, changes: object = {}, token = "test-token", timeoutMs?: number) {
  return await netlifyTarget.open(optionsOf(fake, changes), providerAccess({ token }, timeoutMs));
}
