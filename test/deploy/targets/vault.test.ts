import { describe, expect, it, onTestFinished } from "vitest";
import { vaultTarget } from "../../../src/deploy/targets/vault.ts";
import { fakeVaultToken, startFakeVault } from "../../support/fakes/vault.ts";
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

const path = "test-entry";
const canary = "contract-canary-5v1t";

async function start(layout: "keys" | "each" = "keys") {
  const vault = await startFakeVault();
  onTestFinished(vault.stop);
  const written = { auth: { token: "${env:TOKEN}" }, path, layout };
  const connect = async (address: string, timeoutMs = 5000) =>
    await vaultTarget.open(
      vaultTarget.options.parse({ ...written, address }),
      providerAccess({ TOKEN: `${fakeVaultToken}\n` }, timeoutMs),
    );
  return { vault, connect, target: await connect(vault.url) };
}

describe("the vault target", () => {
  for (const layout of ["keys", "each"] as const) {
    describe(`with the layout ${layout}`, () => {
      describesTarget(async () => {
        const { vault, connect } = await start(layout);
        const options = { address: vault.url, auth: { token: "${env:TOKEN}" }, path, layout };
        const at = (name: string) => (layout === "keys" ? path : `${path}/${name}`);
        return {
          facts: vaultTarget.facts(vaultTarget.options.parse(options)),
          open: async () => await connect(vault.url),
          putForeign: (name, value) =>
            Promise.resolve(
              vault.put(at(name), { ...vault.peek(at(name)), [layout === "keys" ? name : "value"]: value }),
            ),
          peek() {
            const each = [...vault.entries.keys()].map((it) => [it.slice(path.length + 1), vault.peek(it)["value"]]);
            const values: unknown = layout === "keys" ? vault.peek(path) : Object.fromEntries(each);
            return Promise.resolve(values as Record<string, string>);
          },
          unreachable: async () => await connect(`http://127.0.0.1:${await findFreePort()}`),
        };
      });

      it("goes on where a failure left it: the data was written, and the mark was not", async () => {
        const { vault, target } = await start(layout);
        const at = layout === "keys" ? "{path}" : "{path}/{name}";
        vault.failNext(`PATCH /secret/metadata/${at}`, { status: 503 });
        expect((await targetFailure(writeAll(target, { ALPHA: canary }))).class).toBe("transient");
        const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
        expect(found?.mark).toEqual({ address: "prod/api/ALPHA", fingerprint: "0".repeat(16) });
        await writeAll(target, { ALPHA: canary });
        expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", canary).mark);
      });

      it("knows what it wrote when the answer was lost", async () => {
        const { vault, target } = await start(layout);
        vault.failNext(`POST /secret/data/${layout === "keys" ? "{path}" : "{path}/{name}"}`, "lost answer");
        expect((await targetFailure(writeAll(target, { ALPHA: canary }))).class).toBe("unknown");
        const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
        expect(found?.mark).toEqual({ address: "prod/api/ALPHA", fingerprint: "0".repeat(16) });
        await writeAll(target, { ALPHA: canary });
        expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", canary).mark);
      });

      it("takes for ours only what it wrote itself when a mark is missing", async () => {
        const { vault, target } = await start(layout);
        const at = layout === "keys" ? "{path}" : "{path}/{name}";
        vault.failNext(`PATCH /secret/metadata/${at}`, "lost answer");
        expect((await targetFailure(writeAll(target, { ALPHA: canary }))).class).toBe("unknown");
        expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", canary).mark);
        vault.failNext(`PATCH /secret/metadata/${at}`, { status: 429 });
        await targetFailure(writeAll(target, { BETA: canary }));
        vault.put(layout === "keys" ? path : `${path}/BETA`, { [layout === "keys" ? "BETA" : "value"]: "theirs" });
        expect((await inspectByName(target, ["BETA"])).get("BETA")?.mark).toBeUndefined();
      });

      it("classes what goes wrong", async () => {
        const { vault, connect, target } = await start(layout);
        const at = layout === "keys" ? "/secret/data/{path}" : "/secret/data/{path}/{name}";
        for (const [status, failureClass] of [
          [400, "rejected"],
          [403, "auth"],
          [412, "transient"],
          [429, "transient"],
          [473, "transient"],
          [500, "unknown"],
          [503, "transient"],
        ] as const) {
          vault.failNext(`POST ${at}`, { status, json: { errors: [canary] } });
          const outcome = await outcomeOf(writeAll(target, { ALPHA: canary }));
          expect([status, outcome]).toEqual([status, failureClass]);
        }
        vault.failNext(`POST ${at}`, "lost answer");
        expect(await outcomeOf(writeAll(target, { ALPHA: canary }))).toBe("unknown");
        await writeAll(target, { ALPHA: canary });
        vault.failNext(`PATCH ${at}`, "silence");
        const hasty = await connect(vault.url, 100);
        await hasty.inspect(["ALPHA"]);
        const writes = [itemOf("ALPHA", `${canary}-2`)];
        expect(await outcomeOf(hasty.apply({ writes, removes: [], wanted: writes }, recordProgress()))).toBe("unknown");
        vault.state.token = "test-other-token";
        expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("auth");
      });
    });
  }

  it("removes its key and mark from an entry of layout each, and keeps the keys of others there", async () => {
    const { vault, target } = await start("each");
    vault.put(`${path}/ALPHA`, { note: "theirs" });
    await writeAll(target, { ALPHA: "test-one", BETA: "test-two" });
    const removes = [...(await inspectByName(target, [])).values()];
    expect(removes.map(({ name }) => name)).toEqual(["ALPHA", "BETA"]);
    await target.apply({ writes: [], removes, wanted: [] }, recordProgress());
    expect([vault.peek(`${path}/ALPHA`), vault.peek(`${path}/BETA`)]).toEqual([{ note: "theirs" }, {}]);
    expect(await target.inspect(["BETA"])).toEqual([]);
    expect(vault.entries.get(`${path}/BETA`)?.metadata).toEqual({});
  });

  it("has marks that are not of its making for none", async () => {
    const { vault, target } = await start();
    await writeAll(target, { ALPHA: "test-one" });
    const entry = vault.entries.get(path);
    if (entry !== undefined) entry.metadata = { "sealtree.0": "ALPHA:somebody", owner: "theirs" };
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toBeUndefined();
  });

  it("takes only options of the right form, and credentials by reference", () => {
    const good = { address: "https://vault.example.com:8200", auth: { token: "${env:TOKEN}" }, path: "apps/api" };
    const takes = (more: object) => vaultTarget.options.safeParse({ ...good, ...more }).success;
    expect(takes({ namespace: "team/a", mount: "kv/prod", layout: "each" })).toBe(true);
    expect(takes({ auth: { method: "jwt", role: "deploy", jwt: "${env:JWT}" } })).toBe(true);
    for (const bad of [
      { address: "http://vault.example.com" },
      { address: "https://user:test@vault.example.com" },
      { auth: { token: "hvs.test" } },
      { auth: { method: "jwt", role: "../x", jwt: "${env:JWT}" } },
      { path: "/apps" },
      { path: "apps/../other" },
      { path: "apps//api" },
      { path: "apps/." },
      { mount: "a b" },
      { more: true },
    ])
      expect([bad, takes(bad)]).toEqual([bad, false]);
  });

  it("names the place in the same words each time", () => {
    const parse = (more: object) =>
      vaultTarget.options.parse({
        address: "https://v.example.com/",
        auth: { token: "${env:TOKEN}" },
        path: "apps/api",
        ...more,
      });
    expect(vaultTarget.place(parse({}))).toBe("v.example.com, secret/apps/api");
    expect(vaultTarget.place(parse({ layout: "each", namespace: "team" }))).toBe(
      "v.example.com, namespace team, secret/apps/api/*",
    );
    const { pattern } = vaultTarget.facts(parse({})).nameRule;
    for (const bad of ["", ".", "..", "-x", "a/b", "a b", "ä", "a\n"]) expect(bad).not.toMatch(pattern);
  });
});

/** The class of a failure of the whole, or of an item. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  const told = { failures: new Map<string, { readonly class: string }>() };
  const run = call.then((progress) => Object.assign(told, progress));
  const failure = await targetFailure(run.then(() => undefined)).catch(() => undefined);
  return failure?.class ?? [...told.failures.values()][0]?.class ?? "done";
}
