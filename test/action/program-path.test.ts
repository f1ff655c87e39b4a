import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { withoutTreePrograms } from "../../src/action/program-path.ts";
import { act } from "../support/act.ts";
import { createSealedRepository } from "../support/repository.ts";
import { createRotationTeam, day } from "../support/rotation-team.ts";
import { makeThrowAway } from "../support/throw-away.ts";

/** The PATH that is left of these folders. */
function leftOf(entries: readonly string[], ...trees: string[]): string[] {
  return (withoutTreePrograms({ PATH: entries.join(delimiter) }, trees)["PATH"] ?? "").split(delimiter);
}

describe("withoutTreePrograms", () => {
  it("takes out what is inside a tree, what is relative, and what a link leads into one", () => {
    const base = makeThrowAway("sealtree-path-");
    const tree = join(base, "tree");
    const bin = join(tree, "node_modules/.bin");
    mkdirSync(bin, { recursive: true });
    symlinkSync(bin, join(base, "link"));
    symlinkSync("/usr/bin", join(tree, "out"));
    symlinkSync(tree, join(base, "workspace"));
    const inside = [bin, tree, `${tree}/`, join(base, "link"), join(tree, "out"), `${base}/other/../tree/bin`];
    const others = ["/usr/bin", join(base, "tree-tools"), join(base, "gone"), `${tree}/..`];
    expect(leftOf([...inside, "", ".", "bin", "../bin", ...others], tree)).toEqual(others);
    expect(leftOf([bin, join(base, "workspace/bin"), "/usr/bin"], join(base, "workspace"))).toEqual(["/usr/bin"]);
  });

  it("leaves other variables and an environment without PATH alone", () => {
    expect(withoutTreePrograms({ HOME: "bin" }, ["/bin"])).toEqual({ HOME: "bin" });
    expect(withoutTreePrograms({ Path: "bin" }, ["/bin"])).toEqual({ Path: "" });
  });
});

/** Puts programs that leave a trace into a tree, and gives the PATH that finds them first. */
function layTrap(root: string) {
  const bin = join(root, "node_modules/.bin");
  const trace = join(makeThrowAway("sealtree-trace-"), "trace");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(root, ".git/info/exclude"), "node_modules\n");
  for (const name of ["git", "bash", "sh", "ssh-agent", "ssh-add", "ssh-keygen", "test-tool"])
    writeFileSync(join(bin, name), `#!/bin/sh\necho ${name} >> '${trace}'\nexit 1\n`, { mode: 0o755 });
  return { trace, env: { PATH: [bin, process.env["PATH"]].join(delimiter) } };
}

describe("a step whose PATH begins inside the workspace", () => {
  it("starts no git, ssh-agent, ssh-add or ssh-keygen of the tree", async () => {
    const rule = "{ rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }";
    const team = await createRotationTeam({ "dev/app/KEY": "test-first" }, `secrets:\n  dev/app/KEY: ${rule}\n`);
    const clone = await team.clone();
    const { trace, env } = layTrap(clone.root);
    const signing = { GITHUB_TOKEN: "test-token", SEALTREE_SIGNING_KEY: team.signingKey };
    const result = await act(clone, { command: "rotate" }, { env: { ...signing, ...env }, now: day(40) });
    expect([result.code, result.outputs.get("count"), result.annotations]).toEqual([0, "1", []]);
    expect(team.server.git("cat-file", "commit", "main")).toContain("BEGIN SSH SIGNATURE");
    expect(existsSync(trace)).toBe(false);
  });

  it("gives the script of run the PATH of the job, and starts it in the bash of the system", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "test-value-123" });
    const { trace, env } = layTrap(repository.root);
    const run = 'test "$KEY" = test-value-123\ncase $- in *e*) ;; *) exit 5 ;; esac\nfalse | true || test-tool';
    const result = await act(repository, { command: "run", scopes: "prod/api", run }, { env });
    expect([result.code, readFileSync(trace, "utf8")]).toEqual([1, "test-tool\n"]);
  });
});
