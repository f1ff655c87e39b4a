import { describe, expect, it } from "vitest";
import { mintGeneration } from "../../../src/access/generations.ts";
import { loadPolicy } from "../../../src/access/policy.ts";
import { openCommitTree } from "../../../src/store/commit-tree.ts";
import { readKeyring } from "../../../src/store/keyring.ts";
import { printGenerationFile } from "../../../src/store/generation-file.ts";
import { generationPath, journalPath } from "../../../src/store/layout.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSealtreeError } from "../../../src/errors.ts";
import { runCli } from "../../support/run-cli.ts";
import { branch, rotateForMerge } from "./for-merge.ts";
import { ModelProvider } from "./model-provider.ts";
import { sessionIn } from "./run-engine.ts";
import { createWorld, type World } from "./world.ts";

const heads = `refs/heads/${branch}`;
const guard = `refs/sealtree/rotation/${branch}`;

/** Pushes one unsigned commit to `ref`, on top of `start`, with a file of the attacker's. */
async function plant(world: World, ref: string, start: string, file: (root: string) => Promise<[string, string]>) {
  await world.person(async ({ root, git }) => {
    git("fetch", "--quiet", world.remote, start);
    git("checkout", "--quiet", "--detach", "FETCH_HEAD");
    const [path, text] = await file(root);
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    git("add", "--all");
    git("commit", "--quiet", "-m", "work of mallory");
    git("push", "--quiet", world.remote, `HEAD:${ref}`);
    git("checkout", "--quiet", "main");
  });
}

/** A key for the honest readers, which whoever made it knows also. */
async function keyOfMallory(root: string, world: World): Promise<[string, string]> {
  const session = sessionIn({ root, env: world.env, now: () => new Date(world.nowMs) });
  const tree = await openCommitTree(session.place, "HEAD");
  const { scope } = world.address;
  const { file } = await mintGeneration(session, await loadPolicy(tree), scope, await readKeyring(tree, scope));
  tree.close();
  return [generationPath(scope, file.id), printGenerationFile(scope, file)];
}

async function failureOf(work: Promise<unknown>) {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (!isSealtreeError(error)) throw new Error("it was not refused");
  return { code: error.code, text: [error.message, ...error.hints].join("\n") };
}

async function requireSignatures(world: World, signing: "require" | "warn") {
  await world.person(async ({ git, edit }) => {
    edit("policies/access.yaml", (text) => text.replace("signing: off", `signing: ${signing}`));
    git("commit", "--quiet", "--all", "-m", `signing ${signing}`);
  });
}

/** Adds a member on main, who may read. */
async function addCarol(world: World) {
  await world.person(async ({ root, run }) => {
    const { stdout } = await runCli(["keygen", "-o", join(root, ".git", "carol.key"), "--x25519"], {
      cwd: root,
      env: world.env,
    });
    await run(["member", "add", "carol", "--recipient", stdout.trim(), "--role", "senior-engineer", "--yes"]);
  });
}

/** `sealtree rotate` in a new clone. */
const rotate = (world: World, ...more: string[]) =>
  runCli(["rotate", "--resume", "--branch", branch, "--yes", ...more], { cwd: world.clone(), env: world.env });

describe("a branch that somebody else pushed to", () => {
  it.each([heads, guard])("is not used when it has a key that main lacks, at %s", async (ref) => {
    const world = await createWorld(new ModelProvider("two users"));
    await plant(world, ref, "refs/heads/main", async (root) => await keyOfMallory(root, world));
    const before = world.git("for-each-ref");
    const { code, text } = await failureOf(rotateForMerge(world));
    expect(code).toBe("E_BRANCH_UNTRUSTED");
    for (const part of ["secrets/dev/db.keys/", ref, "git log", `git push origin :${guard}`, "ask who pushed it"])
      expect(text).toContain(part);
    expect(text).toContain(world.git("rev-parse", ref).slice(0, 12));
    expect(world.git("for-each-ref")).toBe(before);
    expect(world.provider.live.size).toBe(1);
    expect(await rotate(world, "--dry-run")).toMatchObject({ code: 6 });
    if (ref === heads) world.git("update-ref", "-d", heads);
    else world.git("update-ref", "-d", guard);
    expect((await rotateForMerge(world))[0]?.outcome.kind).toBe("rotated");
  });

  it.each([heads, guard])("is not used for an unsigned journal where main wants signatures, at %s", async (ref) => {
    const world = await createWorld(new ModelProvider("two users"));
    await requireSignatures(world, "require");
    const journal = journalPath(world.address);
    await plant(world, ref, "refs/heads/main", () => Promise.resolve([journal, "planted: true\n"]));
    const before = world.git("for-each-ref");
    for (const more of [[], ["--dry-run"]]) {
      const { code, stderr } = await rotate(world, ...more);
      expect(code).toBe(6);
      expect(stderr).toContain("is not only the work of rotations");
      expect(stderr).toContain(world.git("rev-parse", ref).slice(0, 12));
    }
    expect(world.git("for-each-ref")).toBe(before);
  });

  it("is named in a warning where main only warns of signatures", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await requireSignatures(world, "warn");
    await plant(world, heads, "refs/heads/main", () =>
      Promise.resolve([journalPath(world.address), "planted: true\n"]),
    );
    const { stderr } = await rotate(world, "--dry-run");
    expect(stderr).toContain(`warning: ${world.git("rev-parse", heads).slice(0, 12)}, on the rotation branch`);
    expect(stderr).not.toContain("is not only the work of rotations");
  });

  it("says to look at a commit on the marker of main before anything is merged", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    const marker = "refs/sealtree/rotation/main";
    await plant(world, marker, "refs/heads/main", () => Promise.resolve(["note.txt", "a note\n"]));
    const { code, text } = await failureOf(world.rotate());
    expect(code).toBe("E_JOURNAL_REGRESSED");
    expect(text.split("\n")[1]).toBe(`look first: git fetch origin ${marker}, then git log --stat HEAD..FETCH_HEAD`);
    expect(text).toContain(`git push origin :${marker}`);
    world.git("update-ref", "-d", marker);
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
  });
});

describe("an open pull request of a rotation", () => {
  it("goes on when main gets another member meanwhile", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await rotateForMerge(world);
    await addCarol(world);
    expect((await rotateForMerge(world, { wants: "finish" }))[0]?.outcome.kind).toBe("awaits merge");
    expect(world.git("diff", "--name-only", "main", branch, "--", "policies", "secrets/dev/db.keys")).toBe("");
  });

  it("makes no key on its branch, and asks for a rekey on main", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await addCarol(world);
    await world.person(async ({ git }) => {
      git("checkout", "--quiet", "HEAD~1", "--", "policies/access.yaml");
      git("commit", "--quiet", "--all", "-m", "carol is gone, and her key still opens");
    });
    const [result] = await rotateForMerge(world);
    expect(result?.outcome).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("no key for its present readers"),
      hints: expect.arrayContaining([expect.stringContaining("sealtree rekey dev/db")]),
    });
    expect(world.provider.live.size).toBe(1);
    await world.person(async ({ run }) => await run(["rekey", "dev/db", "--yes"]));
    expect((await rotateForMerge(world))[0]?.outcome.kind).toBe("rotated");
  });
});
