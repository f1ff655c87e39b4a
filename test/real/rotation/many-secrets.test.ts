import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ManyReport, ManySettings } from "../../rotation/engine/rotate-many.ts";
import { bundleModule } from "../../support/bundle-module.ts";
import { createSealedRepository } from "../../support/repository.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const scopes = 50;
const scopeSize = 10;
const batchSize = 25;
const batches = (scopes * scopeSize) / batchSize;
const mostBytes = 300 * 1024 ** 2;
const startMs = Date.parse("2026-03-01T02:00:00Z");

describe("500 due secrets in one run", () => {
  it("take two commits a batch, little memory, and go on after a crash", { timeout: 1_800_000 }, async () => {
    const { root, env, addresses, live, countCommits } = await makeSecrets();
    const file = await bundleModule("test/rotation/engine/rotate-many.ts");
    const first = countCommits();
    const whole: Omit<ManySettings, "live" | "nowMs" | "crashAfter"> = { root, env, addresses, batchSize };

    const crashAfter = batches + 1;
    const cut = runMany(file, { ...whole, live, nowMs: startMs, crashAfter });
    expect(countCommits() - first).toBe(crashAfter);
    expect(Object.keys(cut.report.live)).toHaveLength(addresses.length + (batches / 2) * batchSize);

    const rest = runMany(file, {
      ...whole,
      live: cut.report.live,
      nowMs: startMs + 17 * 60_000,
      crashAfter: undefined,
    });
    const half = (batches / 2) * batchSize;
    expect(rest.report.outcomes).toEqual({ "in grace": half, rotated: half });
    // Two a batch, and one by which the second run took what the first had begun.
    expect(countCommits() - first).toBe(2 * batches + 1);
    // Each secret has its old and its new password, and there is none besides.
    expect(Object.keys(rest.report.live)).toHaveLength(2 * addresses.length);

    process.stderr.write(`peaks: ${cut.peakBytes >> 20} MiB, ${rest.peakBytes >> 20} MiB\n`);
    expect(Math.max(cut.peakBytes, rest.peakBytes)).toBeLessThan(mostBytes);
  });
});

async function makeSecrets() {
  const owner = await createSealedRepository();
  const addresses: string[] = [];
  const live: Record<string, string> = {};
  for (let scope = 0; scope < scopes; scope++) {
    const values = Array.from({ length: scopeSize }, (_, index) => ({
      name: `KEY_${index}`,
      value: `test-value-${scope}-${index}`,
    }));
    const stdin = values.map(({ name, value }) => `${name}=${value}\n`).join("");
    await owner.ok(["import", `many/scope-${scope}`, "--format", "dotenv", "--yes", "--no-commit"], { stdin });
    for (const { name, value } of values) {
      addresses.push(`many/scope-${scope}/${name}`);
      live[createHash("sha256").update(value).digest("hex").slice(0, 16)] = value;
    }
  }
  const rules = addresses.map((address) => `  ${address}: { rotator: manual }\n`);
  owner.write("policies/rotation.yaml", `secrets:\n${rules.join("")}`);
  owner.git("add", "--all");
  owner.git("commit", "--quiet", "-m", "many secrets");
  const folder = makeThrowAway("sealtree-many-");
  const [remote, root] = [join(folder, "remote.git"), join(folder, "clone")];
  owner.git("init", "--quiet", "--bare", "--initial-branch=main", remote);
  owner.git("push", "--quiet", remote, "main");
  owner.git("clone", "--quiet", "--no-checkout", remote, root);
  const env = { PATH: process.env["PATH"] ?? "", ...owner.env };
  const count = () => execFileSync("git", ["rev-list", "--count", "main"], { cwd: remote, env, encoding: "utf8" });
  return { root, env, addresses, live, countCommits: () => Number(count()) };
}

/** In a process of its own, so that its memory is what is measured. */
function runMany(file: string, settings: ManySettings): { report: ManyReport; peakBytes: number } {
  const reporter = new URL("../../../bench/report-peak-memory.js", import.meta.url).href;
  const { stdout, output, stderr } = spawnSync(
    process.execPath,
    ["--import", reporter, file, JSON.stringify(settings)],
    { env: settings.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe", "pipe"], maxBuffer: 1 << 28 },
  );
  if (stdout === "") throw new Error(`the run said nothing: ${stderr}`);
  return { report: JSON.parse(stdout) as ManyReport, peakBytes: Number(output[3]) * 1024 };
}
