import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crashPoints } from "../../../src/rotation/crash-points.ts";
import { keepBuild } from "./crashes/keep-build.ts";
import { startCloudflareGround } from "./crashes/cloudflare-ground.ts";
import { startKeysGround, startRolledKeyGround } from "./crashes/keys-ground.ts";
import { startMariadbGround } from "./crashes/mariadb-ground.ts";
import { startPostgresGround } from "./crashes/postgres-ground.ts";
import type { Ground } from "./crashes/lane.ts";
import { printReport } from "./crashes/print-report.ts";
import { startRabbitmqGround } from "./crashes/rabbitmq-ground.ts";
import { startRedisGround } from "./crashes/redis-ground.ts";
import type { Scenario } from "./crashes/scenarios.ts";
import { sweep, type Sweep } from "./crashes/sweep.ts";

// CRASHES=all, which is npm run crashes, tries every case and writes the report; without it a
// sample is tried that reaches every point too.
const isAll = process.env["CRASHES"] === "all";
const report = fileURLToPath(new URL("../../../docs/rotation-crashes.md", import.meta.url));

/** Each with what the sample cuts off. */
const rows: [string, (lanes: number) => Promise<Ground>, Scenario[]][] = [
  ["PostgreSQL", startPostgresGround, ["a rotation", "the end of a grace"]],
  ["Redis", startRedisGround, ["a rotation", "an emergency in a grace"]],
  ["MariaDB", startMariadbGround, ["a rotation", "a rollback in a grace"]],
  ["RabbitMQ", startRabbitmqGround, ["a rotation", "the end of a grace"]],
  ["a service that makes keys", startKeysGround, ["a rotation", "an emergency in a grace"]],
  [
    "a service that takes tokens out of use",
    startCloudflareGround,
    ["the end of a grace", "a rollback from a suspension"],
  ],
  ["a service that rolls a key", startRolledKeyGround, ["a rotation"]],
];
const sweeps: Sweep[] = [];
let bin: string;

beforeAll(() => {
  bin = keepBuild();
});

afterAll(() => {
  if (isAll && sweeps.length === rows.length) writeFileSync(report, printReport(sweeps));
});

describe("a run that is cut off while a credential at a real server changes", () => {
  it.each(rows)("loses nothing of %s", { timeout: 3_600_000 }, async (_, start, scenarios) => {
    const ground = await start(2);
    try {
      const size = isAll
        ? { scenarios: ground.scenarios, singles: Infinity, doubles: 16 }
        : { scenarios, singles: 5, doubles: 1 };
      const done = await sweep(ground, bin, size, (line) => isAll && process.stderr.write(`${line}\n`));
      sweeps.push(done);
      expect(done.damage).toEqual([]);
    } finally {
      await ground.stop();
    }
  });

  it("reaches every point that there is, and no other", () => {
    const reached = new Set(sweeps.flatMap(({ points }) => [...points.values()].flat()));
    expect([...reached].toSorted()).toEqual([...crashPoints].toSorted());
  });
});
