import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { gitlabTarget } from "../../../src/deploy/targets/gitlab.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeGitlab, type FakeGitlab } from "../../support/fakes/gitlab.ts";
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

const inProject = { project: "test-group/test-name" };

describe.each([
  ["a project", inProject],
  ["a group and one environment", { group: "test-group", environment_scope: "production/*", masked: false }],
])("the target gitlab in %s", (_, written) => {
  describesTarget(async () => {
    const fake = await startFakeGitlab();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    const { environment_scope } = optionsOf(fake, written);
    return {
      facts: gitlabTarget.facts(optionsOf(fake, written)),
      open: async () => await open(fake, written),
      putForeign: (key, value) => Promise.resolve(fake.put(key, value, { environment_scope })),
      peek: () => Promise.resolve(Object.fromEntries(fake.variables.map(({ key, value }) => [key, value]))),
      unreachable: async () => await open(fake, { ...written, api: away }),
    };
  });
});

describe("the target gitlab, when GitLab fails", () => {
  describesHttpTarget(async () => {
    const api = await startFakeGitlab();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, inProject, token, timeoutMs),
      look: "GET /projects/{id}/variables",
      write: "POST /projects/{id}/variables",
      rewrite: "PUT /projects/{id}/variables/{key}",
    };
  });
});

let gitlab: FakeGitlab;

beforeEach(async () => {
  gitlab = await startFakeGitlab();
});
afterEach(async () => await gitlab.stop());

describe("the target gitlab", () => {
  it("leaves the same key of other environments alone, over all pages", async () => {
    for (let count = 0; count < 230; count++) gitlab.put(`NAME_${count}`, "test", { environment_scope: "staging" });
    gitlab.put("ALPHA", "test of staging", { environment_scope: "staging" });
    gitlab.put("NAME_7", "test of production", { environment_scope: "production" });
    const target = await open(gitlab, { ...inProject, environment_scope: "production" });
    expect([...(await inspectByName(target, ["ALPHA", "NAME_7", "NAME_8"])).keys()]).toEqual(["NAME_7"]);
    await writeAll(target, { ALPHA: "test-of-production" });
    const values = gitlab.variables.filter(({ key }) => key === "ALPHA").map((it) => [it.environment_scope, it.value]);
    expect(values).toEqual([
      ["staging", "test of staging"],
      ["production", "test-of-production"],
    ]);
    const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    if (found === undefined) throw new Error("it is not there");
    await target.apply({ writes: [], removes: [found], wanted: [] }, recordProgress());
    expect(gitlab.variables.filter(({ key }) => key === "ALPHA").map((it) => it.environment_scope)).toEqual([
      "staging",
    ]);
  });

  it("makes variables that nobody can read again, where it is told to", async () => {
    const written = { ...inProject, hidden: true, protected: true };
    const target = await open(gitlab, written);
    await writeAll(target, { ALPHA: "test-value-one" });
    await writeAll(target, { ALPHA: "test-value-two" });
    expect(gitlab.variables).toMatchObject([
      { value: "test-value-two", hidden: true, masked: true, protected: true, raw: true },
    ]);
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.value).toBeUndefined();
    expect(gitlabTarget.facts(optionsOf(gitlab, written)).readsBack).toBe(false);
  });

  it("knows before it sends what cannot be masked, as GitLab does", async () => {
    const texts = ["long-enough", "short-1", "", "with space", "two\nlines-long", "dollar$and%more", "ümläut-value"];
    const takenBy = async (raw: boolean) => {
      const written = { ...inProject, raw };
      const rule = gitlabTarget.facts(optionsOf(gitlab, written)).valueRule;
      const expected = texts.filter((text) => rule?.accepts(Secret.text(text)));
      const taken: string[] = [];
      for (const text of texts) {
        const { doneNames } = await writeAll(await open(gitlab, written), { ALPHA: text });
        if (doneNames.length > 0) taken.push(text);
      }
      expect(taken).toEqual(expected);
      return taken;
    };
    expect(await takenBy(true)).toEqual(["long-enough", "dollar$and%more", "ümläut-value"]);
    expect(await takenBy(false)).toEqual(["long-enough"]);
    expect(gitlabTarget.facts(optionsOf(gitlab, { ...inProject, masked: false })).valueRule).toBeUndefined();
  });

  it("is not let in at a project that it may not see", async () => {
    const target = await open(gitlab, { project: 42 });
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("auth");
    expect((await targetFailure(writeAll(target, { ALPHA: "test-value" }))).class).toBe("auth");
  });

  it("takes a project or a group, and no name that leads elsewhere", () => {
    const token = "${env:token}";
    const right = [inProject, { project: 7 }, { group: "a/b/c" }, { ...inProject, environment_scope: "review/*" }];
    expect(right.filter((written) => !gitlabTarget.options.safeParse({ ...written, token }).success)).toEqual([]);
    const wrong = [
      {},
      { ...inProject, group: "a" },
      { project: "../x" },
      { project: "a//b" },
      { project: -1 },
      { ...inProject, environment_scope: "" },
      { ...inProject, hidden: true, masked: false },
      { ...inProject, api: "http://gitlab.example.com" },
      { ...inProject, token: "glpat-test" },
    ];
    expect(wrong.filter((written) => gitlabTarget.options.safeParse({ token, ...written }).success)).toEqual([]);
  });
});

function optionsOf(fake: FakeGitlab, written: object) {
  return gitlabTarget.options.parse({ token: "${env:token}", api: fake.url, ...written });
}

async function open(fake: FakeGitlab, written: object, token = "test-token", timeoutMs?: number) {
  return await gitlabTarget.open(optionsOf(fake, written), providerAccess({ token }, timeoutMs));
}
