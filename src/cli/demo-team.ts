import { rmSync } from "node:fs";
import type { DemoService } from "./demo-input.ts";
import type { Actor, Stage } from "./demo-stage.ts";

/** Two branches change one file; git merges it without a key. */
export async function playMerge(stage: Stage): Promise<void> {
  const { alice } = stage;
  stage.act("Merge", "Two branches add different secrets to one scope. git merges by name and needs no key.");
  await stage.git(alice, ["switch", "--quiet", "--create", "faster-search"]);
  await stage.sealtree(alice, ["set", "dev/search/INDEX_TOKEN", "--generate", "hex"], { show: 1 });
  await stage.git(alice, ["switch", "--quiet", "main"]);
  await stage.sealtree(alice, ["set", "dev/search/INVOICE_TOKEN", "--generate", "hex"], { show: 1 });
  await stage.git(alice, ["merge", "--no-edit", "faster-search"], { show: 3 });
  const names = ["INDEX_TOKEN", "INVOICE_TOKEN"];
  const argv = ["export", "dev/search", "--only", names.join(","), "--format", "json", "--yes"];
  const { stdout } = await stage.sealtree(alice, argv, { show: "nothing" });
  stage.claim("both secrets are there and open", Object.keys(JSON.parse(stdout) as object).toSorted(), names);
}

/** Two colleagues, each with a clone: what their roles allow opens, the rest is refused. */
export async function playMembers(stage: Stage, services: readonly DemoService[]): Promise<void> {
  const { alice, bob, carol } = stage;
  stage.act("Share", "Bob becomes an engineer, Carol an analyst. The policy decides who can open which scope.");
  await stage.sealtree(alice, ["member", "add", "bob", "--recipient", "@../bob.pub", "--role", "engineer", "--yes"]);
  await stage.sealtree(alice, ["member", "add", "carol", "--recipient", "@../carol.pub", "--role", "analyst", "--yes"]);
  await stage.sealtree(alice, ["member", "list"]);
  for (const actor of [bob, carol]) {
    rmSync(actor.root, { recursive: true });
    const clone = { ...actor, root: actor.home };
    await stage.git(clone, ["clone", "--quiet", alice.root, "company"], { typed: "clone alice:company && cd company" });
    await stage.sealtree(actor, ["git-setup"], { show: 0 });
  }
  await tryAll(stage, bob, services, ["dev", "staging"]);
  await tryAll(stage, carol, services, ["dev"]);
  await stage.sealtree(bob, ["get", "prod/billing/PAYMENT_API_KEY"], { exit: 5, show: 3 });
  await stage.sealtree(carol, ["set", "dev/shop/REDIS_URL", "--stdin"], { stdin: "demo", exit: 5, show: 2 });
}

/** A scope gets a new key; its values stay. */
export async function playRekey(stage: Stage): Promise<void> {
  const { alice } = stage;
  stage.act("Rekey", "Alice lost a laptop. The scope gets a new key for the same readers; values stay as they are.");
  const list = async () => {
    const { stdout } = await stage.sealtree(alice, ["list", "prod/billing", "--json"], { show: "nothing" });
    return (JSON.parse(stdout) as { secrets: { value_id: string; generation: string }[] }).secrets;
  };
  const before = await list();
  await stage.sealtree(alice, ["rekey", "prod/billing", "--yes", "--reason", "laptop lost"]);
  const after = await list();
  stage.claim(
    "every value is what it was",
    after.map((it) => it.value_id),
    before.map((it) => it.value_id),
  );
  const old = new Set(before.map((it) => it.generation));
  stage.claim("and none is sealed under the old key", after.filter((it) => old.has(it.generation)).length, 0);
}

/** Claims that `actor` opens every scope of `environments`, with the right values, and no other. */
async function tryAll(stage: Stage, actor: Actor, services: readonly DemoService[], environments: readonly string[]) {
  let opened = 0;
  const wrong: string[] = [];
  for (const { scope, values } of services) {
    const isReader = environments.some((environment) => scope.startsWith(`${environment}/`));
    const argv = ["get", `${scope}/DATABASE_URL`, "--reveal", "--yes"];
    const { code, stdout } = await stage.sealtree(actor, argv, { show: "nothing", exit: isReader ? 0 : 5 });
    if (isReader) opened += 1;
    if (isReader ? stdout !== values.get("DATABASE_URL") : code !== 5 || stdout !== "") wrong.push(scope);
  }
  const refused = services.length - opened;
  stage.claim(`${actor.name} opens ${opened} scopes (${environments.join(", ")}) and is refused ${refused}`, wrong, []);
}
