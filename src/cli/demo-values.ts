import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessPolicyPath, rotationPolicyPath } from "../store/layout.ts";
import { printDotenv, printRotationPolicy, type DemoService } from "./demo-input.ts";
import type { Stage } from "./demo-stage.ts";

const dayMs = 86_400_000;

/** What the parts about values measured. */
export interface ValueTimes {
  /** Sealing, committing and reading back, for each secret. */
  readonly sealMs: number;
  /** Opening, for each secret. */
  readonly openMs: number;
  readonly listMs: number;
}

/** Keys, a repository, and the values of all services: a hundred days ago, so that some are due today. */
export async function playSetUp(stage: Stage, services: readonly DemoService[]): Promise<number> {
  const { alice, bob, carol, io } = stage;
  const now = new Date(io.now().getTime() - 100 * dayMs);
  const then = { now, env: { GIT_AUTHOR_DATE: now.toISOString(), GIT_COMMITTER_DATE: now.toISOString() } };

  stage.act("Set up", "Alice makes a key and a policy. Everybody's private key stays in their own home.");
  await stage.git(alice, ["init", "--quiet", "--initial-branch=main"], { typed: "init company && cd company" });
  await stage.sealtree(alice, ["keygen"], { ...then, show: 2 });
  await stage.sealtree(alice, ["init", "--yes", "--name", "alice"], then);
  for (const actor of [bob, carol]) {
    const { stdout } = await stage.sealtree(actor, ["keygen"], { show: 0, typed: `keygen > ${actor.name}.pub` });
    writeFileSync(join(alice.home, `${actor.name}.pub`), stdout);
  }

  stage.act("Import", "Twenty services bring their .env files. Each becomes one file with a sealed line a value.");
  const folder = join(alice.home, "old");
  mkdirSync(folder);
  let elapsedMs = 0;
  let added = 0;
  for (const [index, service] of services.entries()) {
    const argv = ["import", service.scope, "--format", "dotenv", "--yes", "--json"];
    const typed = `import ${service.scope} --format dotenv --yes < ../old/${service.scope.replace("/", "-")}.env`;
    const show = index === 0 ? 0 : "nothing";
    const result = await stage.sealtree(alice, argv, { ...then, stdin: printDotenv(service), typed, show });
    elapsedMs += result.elapsedMs;
    added += (parse(result.stdout) as { added: string[] }).added.length;
  }
  stage.claim(`${services.length} files imported, ${added} values sealed, each read back by import`, added, 200);
  writeFileSync(join(alice.root, rotationPolicyPath), printRotationPolicy(services));
  await stage.git(alice, ["commit", "--quiet", "-am", "policies: when values are rotated"], { env: then.env });
  return elapsedMs / added;
}

/** Looking at values: names for everybody, masks by default, bytes on demand, a program that gets them. */
export async function playReads(stage: Stage, services: readonly DemoService[]): Promise<Omit<ValueTimes, "sealMs">> {
  const { alice } = stage;
  stage.act("Look", "Names and ages need no key. A value is masked unless it is asked for.");
  await stage.sealtree(alice, ["list"], { show: 3 });
  const list = await stage.sealtree(alice, ["list", "--json"], { show: "nothing" });
  const { scopes } = parse(list.stdout) as { scopes: { secrets: number }[] };
  stage.claim(
    "20 scopes with 10 secrets each",
    scopes.map(({ secrets }) => secrets),
    Array(20).fill(10),
  );
  await stage.sealtree(alice, ["get", "prod/billing/PAYMENT_API_KEY"]);

  let openMs = 0;
  let same = 0;
  for (const { scope, values } of services) {
    const argv = ["export", scope, "--format", "json", "--yes"];
    const { stdout, elapsedMs } = await stage.sealtree(alice, argv, { show: "nothing" });
    openMs += elapsedMs;
    const opened = parse(stdout) as Record<string, string>;
    same += [...values].filter(([name, value]) => opened[name] === value).length;
  }
  stage.claim("all 200 values open and are, byte for byte, what the .env files had", same, 200);

  stage.act("Use", "A program gets the values in its environment. What it prints of them is masked in a log.");
  const program = "console.log('connecting to', process.env.DATABASE_URL)";
  const run = await stage.sealtree(alice, ["run", "dev/shop", "--", stage.io.self[0], "-e", program], {
    typed: `run dev/shop -- node -e "${program}"`,
  });
  stage.claim("the program ran, and its output has no value", run.stdout.includes("demo-"), false);
  return { openMs: openMs / 200, listMs: list.elapsedMs };
}

/** A new value, its versions, and the way back. Gives the new value. */
export async function playHistory(stage: Stage, services: readonly DemoService[]): Promise<string> {
  const { alice } = stage;
  const address = "prod/billing/PAYMENT_API_KEY";
  const original = services.find(({ scope }) => scope === "prod/billing")?.values.get("PAYMENT_API_KEY");
  const reveal = async () =>
    (await stage.sealtree(alice, ["get", address, "--reveal", "--yes"], { show: "nothing" })).stdout;

  stage.act("Change, and go back", "Every write is one commit, so the versions of a value are its history.");
  const fresh = `demo_key_${Buffer.from(stage.io.random(24)).toString("base64url")}`;
  const argv = ["set", address, "--stdin", "--reason", "key of the new account"];
  await stage.sealtree(alice, argv, {
    stdin: fresh,
    typed: `set ${address} --stdin --reason 'key of the new account' < new-key`,
  });
  stage.claim("the new value is the present one", await reveal(), fresh);
  await stage.sealtree(alice, ["log", address]);
  await stage.sealtree(alice, ["rollback", address, "--to", "1", "--yes", "--reason", "the new key was refused"]);
  stage.claim("version 1 is the present value again", await reveal(), original);
  const log = await stage.sealtree(alice, ["log", address, "--json"], { show: "nothing" });
  const { versions } = parse(log.stdout) as { versions: unknown[] };
  stage.claim("nothing of the history was lost: there are 3 versions", versions.length, 3);
  const policy = await stage.git(alice, ["log", "--oneline", "--", accessPolicyPath], { show: "nothing" });
  stage.claim("the policy was touched by none of this", policy.trim().split("\n").length, 1);
  return fresh;
}

function parse(stdout: string): unknown {
  return JSON.parse(stdout);
}
