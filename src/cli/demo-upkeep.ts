import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stage } from "./demo-stage.ts";

interface RotationCounts {
  readonly counts: Readonly<Record<string, number>>;
}

/** What the rotation policy says is due gets new values. Gives how many. */
export async function playRotation(stage: Stage): Promise<number> {
  const { alice } = stage;
  stage.act("Rotate", "The values are a hundred days old. The policy wants new session secrets every ninety.");
  await stage.sealtree(alice, ["rotation", "status", "--due"], { show: 3 });
  const countDue = async () => {
    const { stdout } = await stage.sealtree(alice, ["rotation", "status", "--json"], { show: "nothing" });
    const { counts } = JSON.parse(stdout) as RotationCounts;
    return (counts["due"] ?? 0) + (counts["overdue"] ?? 0);
  };
  stage.claim("20 are due", await countDue(), 20);
  await stage.sealtree(alice, ["rotate", "--due", "--yes"], { show: 3 });
  stage.claim("none is due any more", await countDue(), 0);
  const argv = ["rotate", "prod/shop/SESSION_SECRET", "--emergency", "--reason", "seen in a log", "--yes"];
  await stage.sealtree(alice, argv, { show: 2 });
  return 21;
}

/** The checks, the overview and the audit log. */
export async function playChecks(stage: Stage): Promise<void> {
  const { alice, bob } = stage;
  stage.act("Check", "What anybody can check without a key, what readers can check with one, and who did what.");
  await stage.sealtree(alice, ["check"], { show: 4, env: { HOME: stage.base } });
  const deep = await stage.sealtree(alice, ["check", "--deep", "--json"], { show: "nothing" });
  const found = JSON.parse(deep.stdout) as Record<string, unknown>;
  stage.claim("no error, and all 202 records open", [found["errors"], found["opened"]], [0, 202]);
  await stage.sealtree(alice, ["status"], { show: 6 });
  await stage.sealtree(alice, ["audit", "--limit", "3"], { show: 3 });
  const audit = await stage.sealtree(bob, ["audit", "--source", "local", "--code", "HBSE-006", "--json"], {
    show: "nothing",
  });
  const { events } = JSON.parse(audit.stdout) as { events: { outcome: string }[] };
  stage.claim(
    "bob's own log has each of his 8 refused accesses",
    events.map((it) => it.outcome),
    Array(8).fill("refused"),
  );
}

/** Files changed behind sealtree's back are refused, and git brings them back. */
export async function playTampering(stage: Stage): Promise<void> {
  const { alice } = stage;
  const file = join(alice.root, "secrets/prod/billing.yaml");
  const read = ["get", "prod/billing/DATABASE_URL", "--reveal", "--yes"];
  const text = readFileSync(file, "utf8");
  const record = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";

  stage.act("Tamper", "Somebody who can write to the repository, but has no key, tries three things.");
  stage.note("the sealed line of REDIS_URL is put in place of that of DATABASE_URL");
  writeFileSync(file, text.replace(record("DATABASE_URL"), record("REDIS_URL")));
  const swapped = await stage.sealtree(alice, read, { exit: 6, show: 2 });
  stage.note("one letter of the sealed line is changed");
  const [head, tail] = [record("DATABASE_URL").slice(0, -30), record("DATABASE_URL").slice(-30)];
  writeFileSync(file, text.replace(head + tail, `${head}${tail.startsWith("A") ? "B" : "A"}${tail.slice(1)}`));
  const flipped = await stage.sealtree(alice, read, { exit: 6, show: 1 });
  await stage.git(alice, ["restore", "secrets"]);
  stage.note("the whole scope is copied to dev, where more people may read");
  copyFileSync(file, join(alice.root, "secrets/dev/copied.yaml"));
  const moved = await stage.sealtree(alice, ["get", "dev/copied/DATABASE_URL", "--reveal", "--yes"], {
    exit: 6,
    show: 1,
  });
  rmSync(join(alice.root, "secrets/dev/copied.yaml"));
  const outcomes = [swapped, flipped, moved].map(({ code, stdout }) => ({ code, stdout }));
  stage.claim("each is refused, and nothing is given out", outcomes, Array(3).fill({ code: 6, stdout: "" }));
  const again = await stage.sealtree(alice, read, { show: "nothing" });
  stage.claim("git restore brings the value back", again.code, 0);
}
