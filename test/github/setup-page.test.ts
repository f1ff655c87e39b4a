import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { listSteps, parseWorkflow } from "../support/workflows.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(`${root}docs/github-setup.md`, "utf8");
const commit = "3f1c0de4b5a69788796a5b4c3d2e1f0011223344";
const roles = /```yaml\nroles:\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const rotation = /```yaml\n(secrets:\n[\s\S]*?)```/.exec(page)?.[1] ?? "";
const lines = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, language, block = ""]) =>
  language === "" ? block.trim().split("\n") : [],
);

/** The lines of the page that this machine can run: those of sealtree, of git in the clone, and of keys. */
const runnable = lines.filter((line) => /^(?:sealtree|ssh-keygen|rm|git (?:switch|add|commit)) /.test(line));

/** Words of a line as a shell reads them, as far as the page needs it, and the file that it writes to. */
function readLine(line: string): { words: string[]; file: string | undefined } {
  const [command = "", file] = line.split(" > ");
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
  return { words, file: file?.trim() };
}

async function runLine(repository: TestRepository, line: string): Promise<void> {
  const { words, file } = readLine(
    line.replaceAll("OWNER/sealtree", "acme/sealtree").replaceAll("FULL_COMMIT_ID", commit),
  );
  const [program = "", ...args] = words;
  if (program === "git") {
    repository.git(...args);
    return;
  }
  if (program !== "sealtree") {
    execFileSync(program, args, { cwd: repository.root, stdio: "ignore" });
    return;
  }
  const { stdout } = await repository.ok([...args, ...(args[0] === "member" ? ["--yes"] : [])]);
  if (file !== undefined) repository.write(file, stdout);
}

describe("docs/github-setup.md", () => {
  it("has commands that do what it says, in its order", async () => {
    const repository = await createSealedRepository();
    const safe = (await repository.ok(["keygen", "-o", "../safe.identity"])).stdout.trim();
    await repository.ok(["member", "add", "safe", "--recovery", "--recipient", safe, "--yes"]);
    repository.git("remote", "add", "origin", "https://github.com/acme/api.git");
    for (const address of ["prod/api/SESSION_KEY", "staging/api/KEY"])
      await repository.ok(["set", address, "--stdin"], { stdin: "test-value-1234" });
    repository.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [prod/api], file: .env}\n");
    const access = repository.read("policies/access.yaml");
    const version = Number(/^version: (\d+)$/m.exec(access)?.[1]);
    repository.write(
      "policies/access.yaml",
      access.replace(`version: ${version}`, `version: ${version + 1}`).replace(/^roles:\n/m, `roles:\n${roles}`),
    );
    repository.write("policies/rotation.yaml", `${rotation}  staging/api/KEY: { interval: never }\n`);
    repository.git("add", "policies/deploy.yaml");
    repository.git("commit", "--quiet", "-m", "policies: what is deployed");
    repository.write("../app.private-key.pem", "test\n");

    expect(runnable.length).toBeGreaterThan(8);
    for (const line of runnable) await runLine(repository, line);

    const check = await repository.run(["check", "--strict", "--json"]);
    const { findings } = check.json<{ findings: { rule: string; severity: string }[] }>();
    expect(findings.filter(({ severity }) => severity !== "notice")).toEqual([]);
    expect((await repository.ok(["rotation", "status"])).stdout).toContain("prod/api/SESSION_KEY");
    const members = (await repository.ok(["member", "list", "--json"])).stdout;
    expect(members).toContain('"production"');
    const [rotate] = listSteps(parseWorkflow(repository.read(".github/workflows/secrets-rotation.yml"))).slice(-1);
    expect(rotate?.step.with?.["pull-request"]).toBeDefined();
    expect(Object.keys(rotate?.step.env ?? {})).toContain("SEALTREE_APP_ID");
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(
      readdirSync(join(repository.root, "..")).filter((file) => /\.key$|\.pub$|\.pem$|signing$/.test(file)),
    ).toEqual([]);
  });

  it("names every workflow that is written, and the environment and inputs of rotation", () => {
    const files = [...page.matchAll(/`(secrets-[a-z-]+\.yml)`/g)].map(([, file]) => file);
    expect(new Set(files)).toEqual(
      new Set([
        "secrets-check.yml",
        "secrets-comment.yml",
        "secrets-rotation.yml",
        "secrets-heartbeat.yml",
        "secrets-heartbeat-push.yml",
        "secrets-deploy.yml",
        "secrets-drift.yml",
      ]),
    );
    for (const [, input = ""] of page.matchAll(/ -f ([a-z-]+)=/g))
      expect(["dry-run", "scopes", "emergency", "reason", "keep-grace", "direct", "name"]).toContain(input);
  });
});
