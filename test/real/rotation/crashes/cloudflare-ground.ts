import { startFakeCloudflare, type FakeCloudflare } from "../../../support/fakes/cloudflare.ts";
import type { Ground, Lane } from "./lane.ts";
import { overlapScenarios } from "./scenarios.ts";

const name = "test deployer";

/** The strict fake of Cloudflare, one for each lane: tokens that can be taken out of use and brought back. */
export async function startCloudflareGround(lanes: number): Promise<Ground> {
  const fakes = await Promise.all(Array.from({ length: lanes }, startFakeCloudflare));
  return {
    name: "tokens of Cloudflare",
    version: "fake, API v4",
    scenarios: [...overlapScenarios, "the end of a suspension", "a rollback from a suspension"],
    hasOverlap: true,
    lanes: fakes.map(makeLane),
    async stop() {
      for (const fake of fakes) await fake.stop();
    },
  };
}

function makeLane(fake: FakeCloudflare): Lane {
  const { url, account, tokens } = fake;
  const active = () => tokens.filter(({ status }) => status === "active");
  return {
    rule: {
      rotator: "cloudflare",
      options: { account, name, admin: "${secret:dev/admin/TOKEN}", api: `${url}` },
    },
    companions: { "dev/admin/TOKEN": "test-admin-token" },
    begin: () => Promise.resolve(fake.addToken(name).value),
    save: () => Promise.resolve(JSON.stringify(tokens)),
    restore(saved) {
      tokens.splice(0, tokens.length, ...(JSON.parse(saved) as typeof tokens));
      return Promise.resolve();
    },
    async isLetIn({ token = "" }) {
      const verify = `${url}/accounts/${account}/tokens/verify`;
      const answer = await fetch(verify, { headers: { authorization: `Bearer ${token}` } });
      if (answer.status === 401) return false;
      const { result } = (await answer.json()) as { readonly result: { readonly status: string } };
      return result.status === "active";
    },
    countStrangers: (held) =>
      Promise.resolve(active().filter(({ value }) => !held.some(({ token }) => token === value)).length),
  };
}
