import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { cloudflareTarget } from "../../../src/deploy/targets/cloudflare.ts";
import { startFakeCloudflareWorkers, type FakeCloudflareWorkers } from "../../support/fakes/cloudflare-workers.ts";
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

const patch = "PATCH /accounts/{account_id}/workers/scripts/{script_name}/secrets-bulk";

describe("the target cloudflare", () => {
  describesTarget(async () => {
    const fake = await startFakeCloudflareWorkers();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: cloudflareTarget.facts(optionsOf(fake)),
      open: async () => await open(fake),
      putForeign: (name, value) => Promise.resolve(void fake.secrets.set(name, value)),
      peek: () => Promise.resolve(Object.fromEntries(fake.secrets)),
      unreachable: async () => await open(fake, { api: away }),
    };
  });

  describesHttpTarget(async () => {
    const api = await startFakeCloudflareWorkers();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, {}, token, timeoutMs),
      look: "GET /accounts/{account_id}/workers/scripts/{script_name}/secrets",
      write: patch,
    };
  });
});

let worker: FakeCloudflareWorkers;

beforeEach(async () => {
  worker = await startFakeCloudflareWorkers();
});
afterEach(async () => await worker.stop());

describe("the target cloudflare, in calls of many", () => {
  it("changes a hundred a call, and ends half way at the first that fails", async () => {
    const target = await open(worker);
    for (let count = 0; count < 20; count++) worker.secrets.set(`OLD_${count}`, "test");
    const names = Array.from({ length: 20 }, (_, index) => `OLD_${index}`);
    const removes = [...(await inspectByName(target, names)).values()];
    const writes = Array.from({ length: 100 }, (_, index) => itemOf(`NEW_${index}`, "test"));
    const done: string[] = [];
    const breaks = {
      ...recordProgress(),
      done: (name: string) => {
        if (done.push(name) === 100) worker.failNext(patch, { status: 500 });
      },
    };
    const change = { writes, removes, wanted: writes };
    expect((await targetFailure(target.apply(change, breaks))).class).toBe("unknown");
    expect([done.length, worker.secrets.size, worker.state.versions]).toEqual([100, 120, 1]);
    const progress = recordProgress();
    await target.apply(change, progress);
    expect([progress.doneNames.length, worker.secrets.size, worker.state.versions]).toEqual([120, 100, 3]);
  });

  it("takes values up to the limit", async () => {
    const target = await open(worker);
    const { maxValueBytes } = cloudflareTarget.facts(optionsOf(worker));
    await writeAll(target, { ALPHA: "x".repeat(maxValueBytes) });
    expect((await targetFailure(writeAll(target, { ALPHA: "x".repeat(maxValueBytes + 1) }))).class).toBe("rejected");
  });

  it("makes no version when there is nothing to change", async () => {
    const target = await open(worker);
    await target.apply({ writes: [], removes: [{ name: "GONE" }], wanted: [] }, recordProgress());
    expect(worker.state.versions).toBe(0);
  });

  it("says that a Worker is not there", async () => {
    const target = await open(worker, { script: "test-none" });
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
  });

  it("takes no name that leads elsewhere, and no other host", () => {
    const right = { account: worker.account, script: "test-worker", token: "${env:token}" };
    expect(cloudflareTarget.options.safeParse(right).success).toBe(true);
    const wrong = [
      { account: "x" },
      { script: "../x" },
      { script: "a b" },
      { api: "https://example.com" },
      { token: "t" },
    ];
    const isTaken = (changes: object) => cloudflareTarget.options.safeParse({ ...right, ...changes }).success;
    expect(wrong.filter(isTaken)).toEqual([]);
  });
});

function optionsOf(fake: FakeCloudflareWorkers, changes: object = {}) {
  const written = { account: fake.account, script: "test-worker", token: "${env:token}", api: fake.url };
  return cloudflareTarget.options.parse({ ...written, ...changes });
}

async function open(fake: FakeCloudflareWorkers, changes: object = {}, token = "test-token", timeoutMs?: number) {
  return await cloudflareTarget.open(optionsOf(fake, changes), providerAccess({ token }, timeoutMs));
}
