import { startKeyService, type KeyService } from "./key-service.ts";
import type { Ground, Lane } from "./lane.ts";
import { overlapScenarios } from "./scenarios.ts";

/** A service that makes keys, two an account, by the rotator http; each lane has an account. */
export async function startKeysGround(lanes: number): Promise<Ground> {
  return await startGround(lanes, "keys, two an account", mintedOptions, overlapScenarios);
}

/** The same service, whose account has one key that is made anew: the old one ends with that. */
export async function startRolledKeyGround(lanes: number): Promise<Ground> {
  return await startGround(lanes, "a key that is rolled", rolledOptions, ["a rotation"]);
}

async function startGround(
  lanes: number,
  name: string,
  makeOptions: typeof mintedOptions | typeof rolledOptions,
  scenarios: Ground["scenarios"],
): Promise<Ground> {
  const service = await startKeyService();
  return {
    name,
    version: `node:http ${process.versions.node}`,
    scenarios,
    hasOverlap: scenarios === overlapScenarios,
    lanes: Array.from({ length: lanes }, (_, index) => makeLane(service, `account-${index}`, makeOptions)),
    stop: () => service.stop(),
  };
}

function makeLane(
  { url, accounts, adminToken }: KeyService,
  account: string,
  makeOptions: typeof mintedOptions | typeof rolledOptions,
): Lane {
  const first = { id: "test-first-id", value: `test-first-key-of-${account}`, name: "made by hand" };
  const keys = () => accounts.get(account) ?? [];
  return {
    rule: { rotator: "http", options: makeOptions(`${url}/${account}`) },
    companions: { "dev/admin/TOKEN": adminToken },
    begin() {
      accounts.set(account, [first]);
      return Promise.resolve(first.value);
    },
    save: () => Promise.resolve(JSON.stringify(keys())),
    restore(saved) {
      accounts.set(account, JSON.parse(saved) as ReturnType<typeof keys>);
      return Promise.resolve();
    },
    async isLetIn({ value = "" }) {
      const { status } = await fetch(`${url}/${account}/me`, { headers: { authorization: `Bearer ${value}` } });
      if (status !== 200 && status !== 401) throw new Error(`the service answered ${status}`);
      return status === 200;
    },
    countStrangers: (held) =>
      Promise.resolve(keys().filter((key) => !held.some(({ value }) => value === key.value)).length),
  };
}

const shown = { authorization: "Bearer ${value}" };

function mintedOptions(url: string) {
  return {
    kind: "minted",
    url,
    headers: { authorization: "Bearer ${secret:dev/admin/TOKEN}" },
    classes: { 409: "limit" },
    steps: {
      preflight: { method: "GET", path: "/keys" },
      mint: {
        method: "POST",
        path: "/keys",
        body: { name: "app sealtree-${tag}" },
        expect: [201],
        id: "/id",
        value: "/value",
      },
      identify: { method: "GET", path: "/me", headers: shown, id: "/key/id" },
      probe: { method: "GET", path: "/me", headers: shown },
      inventory: { method: "GET", path: "/keys", items: "/data", id: "/id", tag: "/name" },
      revoke: { method: "DELETE", path: "/keys/${id}" },
    },
  };
}

function rolledOptions(url: string) {
  return {
    kind: "rolled",
    outage: "accept",
    url,
    headers: { authorization: "Bearer ${secret:dev/admin/TOKEN}" },
    steps: {
      preflight: { method: "GET", path: "/keys" },
      roll: { method: "POST", path: "/roll", value: "/value" },
      probe: { method: "GET", path: "/me", headers: shown },
    },
  };
}
