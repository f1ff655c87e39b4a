import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startCli } from "../support/start-cli.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

let repository: TestRepository;

beforeAll(async () => {
  repository = await createSealedRepository();
  const values = { API_KEY: "test-api-key-value", "mcp.bun.apiKey": "test-dotted-value" };
  await importInto("dev/app", values);
  await importInto("dev/other", { API_KEY: "test-other-value", ONLY_HERE: "test-only-here" });
  await importInto("dev/refused", { LD_PRELOAD: "test-library.so" });
});

describe("the child", () => {
  it("gets the secrets by variable name, and passes its exit status on", async () => {
    const result = await run(["dev/app", "--no-mask", "--", "sh", "-c", 'echo "$API_KEY $MCP_BUN_APIKEY"; exit 7']);
    expect(result).toMatchObject({ code: 7, stdout: "test-api-key-value test-dotted-value\n", stderr: "" });
  });

  it("takes options after the scope, and everything after the dashes as its own", async () => {
    const result = await run([
      "dev/other",
      "--only",
      "ONLY_HERE",
      "--",
      "sh",
      "-c",
      'echo "${API_KEY-none} $*"',
      "-",
      "--json",
      "--",
    ]);
    expect(result.stdout).toBe("none --json --\n");
  });

  it("sees nothing of ours", async () => {
    const env = { ...repository.env, SEALTREE_IDENTITY_FILE: "", SEALTREE_AUDIT: "off", KEPT: "yes" };
    const result = await run(["dev/app", "--", "env"], { env });
    const names = result.stdout.split("\n").map((line) => line.split("=")[0]);
    expect(names).toContain("KEPT");
    expect(names.filter((name) => name?.startsWith("SEALTREE"))).toEqual([]);
  });

  it("reads our stdin", async () => {
    expect((await run(["dev/app", "--", "cat"], { stdin: "from the pipe\n" })).stdout).toBe("from the pipe\n");
  });

  it("starts in the directory of -C", async () => {
    const result = await startCli(["-C", repository.root, "run", "dev/app", "--", "pwd"], {
      cwd: tmpdir(),
      env: repository.env,
    }).ended;
    expect(result.stdout).toBe(`${repository.root}\n`);
  });

  it("has its output masked where that is no terminal", async () => {
    const script = 'echo "key=$API_KEY"; printf %s "$API_KEY" | base64 >&2';
    const result = await run(["dev/app", "--", "sh", "-c", script]);
    expect(result.stdout).toBe("key=[masked]\n");
    expect(result.stderr).toBe("[masked]\n");
  });

  it("gets the values of an earlier commit", async () => {
    await importInto("dev/old", { VALUE: "test-first-value" });
    const first = repository.git("rev-parse", "HEAD").trim();
    await importInto("dev/old", { VALUE: "test-second-value" });
    const result = await run(["dev/old", "--at", first, "--no-mask", "--", "sh", "-c", "echo $VALUE"]);
    expect(result.stdout).toBe("test-first-value\n");
  });
});

describe("signals", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("reach the child: %s", async (signal) => {
    const script = `trap 'echo caught; exit 9' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
    const started = startCli(["run", "dev/app", "--", "sh", "-c", script], {
      cwd: repository.root,
      env: repository.env,
    });
    await started.untilOutput("ready");
    started.kill(signal);
    expect(await started.ended).toMatchObject({ code: 9, stdout: "ready\ncaught\n" });
  });

  it("that end the child become 128 and their number", async () => {
    expect((await run(["dev/app", "--", "sh", "-c", "kill -9 $$"])).code).toBe(137);
    expect((await run(["dev/app", "--", "sh", "-c", "kill -TERM $$"])).code).toBe(143);
  });
});

describe("a command that cannot start", () => {
  it("ends with 127 when it is not there, and with 126 when it is not executable", async () => {
    const missing = await run(["dev/app", "--", "no-such-command"]);
    expect(missing).toMatchObject({ code: 127 });
    expect(missing.stderr).toContain("not found");
    repository.write("plain.txt", "text\n");
    const plain = await run(["dev/app", "--", "./plain.txt"]);
    expect(plain).toMatchObject({ code: 126 });
    expect(plain.stderr).toContain("cannot be executed");
  });

  it("says nothing of its own when the child itself ends with 126 or 127", async () => {
    expect(await run(["dev/app", "--", "sh", "-c", "exit 126"])).toMatchObject({ code: 126, stderr: "" });
    expect(await run(["dev/app", "--", "sh", "-c", "exit 127"])).toMatchObject({ code: 127, stderr: "" });
  });

  it("is a usage error without the dashes", async () => {
    expect(await run(["dev/app", "true"])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("names", () => {
  it("of two scopes that clash are refused with both addresses", async () => {
    const result = await run(["dev/app", "dev/other", "--", "true"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("dev/app/API_KEY and dev/other/API_KEY");
    expect((await run(["dev/app", "dev/other", "--only", "ONLY_HERE", "--", "true"])).code).toBe(0);
  });

  it("that change how programs load are refused unless they are allowed", async () => {
    const refused = await run(["dev/refused", "--", "true"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--allow-name LD_PRELOAD");
    const allowed = await run([
      "dev/refused",
      "--allow-name",
      "LD_PRELOAD",
      "--no-mask",
      "--",
      process.execPath,
      "-p",
      "process.env.LD_PRELOAD",
    ]);
    expect(allowed.stdout).toBe("test-library.so\n");
  });

  it("that no scope has are an error with the nearest one", async () => {
    const result = await run(["dev/app", "--only", "API_KEI", "--", "true"]);
    expect(result.code).toBe(4);
    expect(result.stderr).toContain("did you mean API_KEY?");
  });
});

describe("the command", () => {
  it("is audited, one event a secret", async () => {
    await run(["dev/app", "--only", "API_KEY", "--", "true"]);
    const log = readFileSync(join(repository.home, ".local/state/sealtree/audit.jsonl"), "utf8").trim().split("\n");
    expect(JSON.parse(log.at(-1) ?? "")).toMatchObject({
      code: "HBSE-008",
      operation: "run",
      scope: "dev/app",
      name: "API_KEY",
    });
  });

  it("loads neither yaml nor zod nor simple-git", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sealtree-coverage-"));
    try {
      await run(["dev/app", "--", "true"], { env: { ...repository.env, NODE_V8_COVERAGE: folder } });
      const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
      const loaded = reports.join("").match(/chunks\/[a-z0-9-]+\.js/g) ?? [];
      expect(loaded.some((name) => /\/run\d*\.js$/.test(name))).toBe(true);
      expect(loaded.filter((name) => /\/(?:yaml|zod|simple-git)\./.test(name))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function run(argv: readonly string[], options: { env?: Readonly<Record<string, string>>; stdin?: string } = {}) {
  return startCli(["run", ...argv], { cwd: repository.root, env: repository.env, ...options }).ended;
}

async function importInto(scope: string, values: Readonly<Record<string, string>>): Promise<void> {
  await repository.ok(["import", scope, "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
}
