import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { removeKept } from "../../src/action/remove-kept.ts";
import { act } from "../support/act.ts";
import { findCanaries } from "../support/canary.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const canary = "action-canary-7x/+?=é\n::add-mask::x\n%0A::error::y\r\nEOF";
const fork = {
  pull_request: {
    base: { sha: "b".repeat(40), repo: { full_name: "acme/api" } },
    head: { repo: { full_name: "mallory/api" } },
  },
};

async function createTeam(values: Readonly<Record<string, string>> = { API_KEY: canary }): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
  return repository;
}

describe("check", () => {
  it("gives counts, and an annotation with the place of each finding", async () => {
    const repository = await createTeam();
    const path = "secrets/prod/api.yaml";
    repository.write(path, `${repository.read(path)}not a line of the format\n`);
    const step = { event: "pull_request", payload: fork };
    const result = await act(repository, { command: "check", base: "HEAD" }, step);
    expect(result.code).toBe(1);
    expect(result.annotations).toContainEqual(
      expect.objectContaining({ level: "error", properties: expect.objectContaining({ file: path }) as unknown }),
    );
    expect(Number(result.outputs.get("errors"))).toBeGreaterThan(0);
    expect(result.summary).toContain("### sealtree check");
  });

  it("passes on a sound tree", async () => {
    const repository = await createTeam();
    const { code, outputs } = await act(repository, { command: "check" });
    expect([code, outputs.get("errors")]).toEqual([0, "0"]);
  });
});

describe("check of a hostile tree", () => {
  it("has nothing of it taken for a command", async () => {
    const repository = await createTeam();
    const words = ["::add-mask::x", "%0A::error::y", "a\n::set-env name=A::b", "##[error]z", "b\r::add-mask::z"];
    for (const [index, word] of words.entries()) {
      repository.write(`secrets/prod/${word}.yaml`, `${word}\n`);
      repository.write(`policies/${word}${index}.yaml`, `${word}: {${word}\n`);
    }
    repository.write("policies/deploy.yaml", `targets:\n  "${"\\n::add-mask::x"}": {kind: "##[add-mask]y"}\n`);
    const result = await act(repository, { command: "check" });
    expect(result.annotations.length).toBeGreaterThan(words.length);
    expect(result.annotations.filter(({ properties }) => properties["title"] === undefined)).toMatchObject([
      { message: `sealtree check ended with ${result.code}` },
    ]);
    expect([result.commands, result.masks, result.variables.size]).toEqual([[], [], 0]);
  });
});

describe("export", () => {
  it("masks every value, and then sets it for the later steps as it is", async () => {
    const repository = await createTeam({ API_KEY: canary, "db.url": "postgres://test@db.test/x" });
    const result = await act(repository, { command: "export", scopes: "prod/api" });
    expect([result.code, [...result.variables]]).toEqual([
      0,
      [
        ["API_KEY", canary],
        ["DB_URL", "postgres://test@db.test/x"],
      ],
    ]);
    expect(result.masks).toContain(canary);
    expect(findCanaries(result.log + result.summary + [...result.outputs.values()].join(), [canary])).toEqual([]);
    expect(result.commands).toEqual([]);
    expect(result.outputs).toEqual(
      new Map([
        ["count", "2"],
        ["names", "API_KEY,DB_URL"],
      ]),
    );
  });

  it("writes a file for its owner only, which the post step removes", async () => {
    const repository = await createTeam();
    const inputs = { command: "export", scopes: "prod/api", to: "file", file: join(repository.home, "api.json") };
    const result = await act(repository, { ...inputs, format: "json" });
    expect(result.code).toBe(0);
    expect(JSON.parse(readFileSync(inputs.file, "utf8"))).toEqual({ API_KEY: canary });
    expect(statSync(inputs.file).mode & 0o777).toBe(0o600);
    expect(result.masks).toContain(canary);
    expect(removeKept({ STATE_files: result.state.get("files") })).toEqual({ removed: 1, left: 0 });
    expect(existsSync(inputs.file)).toBe(false);
  });

  it("does not have the post step remove a file that it refused to write over", async () => {
    const repository = await createTeam();
    repository.write("README.md", "text");
    repository.git("add", "README.md");
    const result = await act(repository, { command: "export", scopes: "prod/api", to: "file", file: "README.md" });
    expect([result.code, result.state.size, repository.read("README.md")]).toEqual([2, 0, "text"]);
  });

  it("refuses a file in the clone and a format that is no input with words of the Action, not of the command", async () => {
    const repository = await createTeam();
    const inside = await act(repository, { command: "export", scopes: "prod/api", to: "file", file: "x.env" });
    const said = inside.annotations[0]?.message ?? "";
    expect([inside.code, said]).toEqual([2, expect.stringContaining("file: ${{ runner.temp }}/api.env")]);
    expect(said).not.toMatch(/allow-plaintext|leave -o out/);
    const file = join(repository.home, "api.txt");
    for (const format of ["toml", "github"]) {
      const result = await act(repository, { command: "export", scopes: "prod/api", to: "file", file, format });
      expect([result.code, existsSync(file)]).toEqual([2, false]);
      expect(result.annotations[0]?.message).toMatch(/one of dotenv, json, yaml, shell, docker, compose, systemd$/);
    }
  });

  it("sets outputs only where it is asked to, and none in place of its own", async () => {
    const repository = await createTeam({ TOKEN: "test-token-value", Count: "test-count-value" });
    const inputs = { command: "export", scopes: "prod/api", to: "outputs" };
    const refused = await act(repository, inputs);
    expect([refused.code, refused.outputs.size]).toEqual([2, 0]);
    const taken = await act(repository, { ...inputs, only: "TOKEN" });
    expect([taken.outputs.get("TOKEN"), taken.variables.size]).toEqual(["test-token-value", 0]);
  });

  it.each(["NODE_OPTIONS", "LD_PRELOAD", "PATH", "GITHUB_TOKEN", "BASH_ENV"])(
    "refuses %s, unless it is allowed",
    async (name) => {
      const repository = await createTeam({ A_FIRST: "test-value-first", [name]: "test-value-123" });
      const inputs = { command: "export", scopes: "prod/api" };
      const refused = await act(repository, inputs);
      expect([refused.code, refused.variables.size, refused.annotations[0]?.properties["title"]]).toEqual([
        2,
        0,
        "E_NAME_REFUSED",
      ]);
      const allowed = await act(repository, { ...inputs, "allow-names": name });
      expect(allowed.variables.get(name)).toBe("test-value-123");
    },
  );

  it("refuses a value that no mask can hold, unless it is allowed", async () => {
    const repository = await createTeam({ PORT: "12345" });
    const inputs = { command: "export", scopes: "prod/api" };
    const refused = await act(repository, inputs);
    expect([refused.code, refused.variables.size]).toEqual([2, 0]);
    expect(refused.annotations[0]?.message).toContain("PORT has fewer than 6 characters");
    expect((await act(repository, { ...inputs, "allow-unmasked": "PORT" })).variables.get("PORT")).toBe("12345");
    await repository.ok(["set", "prod/api/PORT", "--stdin"], { stdin: "ab1\ncd2\nef3\ngh4" });
    const lines = await act(repository, inputs);
    expect([lines.code, lines.variables.size]).toEqual([2, 0]);
    expect(lines.annotations[0]?.message).toContain("no line of 4");
    expect((await act(repository, { ...inputs, "allow-unmasked": "PORT" })).code).toBe(0);
  });
});

describe("run", () => {
  it("hands the script its values, and hides them in what it writes", async () => {
    const repository = await createTeam();
    const run = `printf '%s\\n' "$API_KEY"; printf '%s' "$API_KEY" | base64 -w0; echo "::set-output name=a::b"; env | cut -d= -f1 | sort | tr '\\n' ' '; exit 7`;
    const result = await act(repository, { command: "run", scopes: "prod/api", run });
    expect([result.code, result.outputs.get("status")]).toEqual([7, "7"]);
    expect(findCanaries(result.log, [canary])).toEqual([]);
    expect([result.commands, result.variables.size]).toEqual([[], 0]);
    expect(result.log).toContain("::set-output name=a::b");
    expect(result.log).toContain(" GITHUB_WORKSPACE ");
    expect(result.log).not.toMatch(/INPUT_|ACTIONS_|GITHUB_ENV|GITHUB_OUTPUT|GITHUB_STATE|SEALTREE_/);
  });
});

describe("review", () => {
  it("writes the report to the summary and into a file, with nothing of a value", async () => {
    const repository = await createTeam();
    const base = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["set", "prod/api/NEW_KEY", "--stdin"], { stdin: canary });
    const result = await act(repository, { command: "review", base });
    const report = readFileSync(result.outputs.get("file") ?? "", "utf8");
    expect(report).toContain("NEW_KEY");
    expect(result.summary).toContain(report);
    expect(result.outputs.get("verdict")).toMatch(/^(?:fine|attention)$/);
    expect(findCanaries(result.raw + report, [canary])).toEqual([]);
  });

  it("says what to compare with when the event does not", async () => {
    const result = await act(await createTeam(), { command: "review" });
    expect(result.annotations[0]?.message).toContain("the event names no commit to compare with");
  });
});

describe("rotate and deploy", () => {
  it("says what is left to do by hand, and fails", async () => {
    const repository = await createTeam();
    repository.write("policies/rotation.yaml", "secrets:\n  prod/api/API_KEY: { rotator: manual, interval: 30d }\n");
    repository.git("add", "policies");
    repository.git("commit", "--quiet", "-m", "rule");
    const remote = makeThrowAway("sealtree-remote-");
    repository.git("init", "--quiet", "--bare", remote);
    repository.git("remote", "add", "origin", remote);
    const result = await act(repository, { command: "rotate" }, { now: new Date(Date.now() + 100 * 24 * 3_600_000) });
    expect([result.code, result.outputs.get("count"), result.outputs.get("failed")]).toEqual([8, "0", "1"]);
    expect(result.annotations[0]).toMatchObject({ level: "error", properties: { title: "sealtree rotate" } });
    expect(result.annotations[0]?.message).toContain("prod/api/API_KEY: by hand");
    expect(result.summary).toContain("prod/api/API_KEY");
  });

  it("says which target is not in order, and fails", async () => {
    const repository = await createTeam({ API_KEY: "test-value-123" });
    repository.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [prod/api], file: .env}\n");
    repository.write(".gitignore", ".env\n");
    repository.write(".env/in-the-way", "");
    repository.git("add", "policies", ".gitignore");
    repository.git("commit", "--quiet", "-m", "target");
    const result = await act(repository, { command: "deploy", targets: "file" });
    expect([result.code, result.outputs.get("failed"), result.outputs.get("count")]).toEqual([9, "1", "0"]);
    expect(result.annotations[0]).toMatchObject({ level: "error", properties: { title: "sealtree deploy" } });
  });

  it("reads no shallow clone", async () => {
    const repository = await createTeam();
    repository.write(".git/shallow", repository.git("rev-parse", "HEAD"));
    for (const command of ["rotate", "deploy"]) {
      const result = await act(repository, { command });
      expect([result.code, result.annotations[0]?.message]).toEqual([5, expect.stringContaining("fetch-depth: 0")]);
    }
  });
});

describe("what the Action refuses", () => {
  it.each(["export", "run", "rotate", "deploy"])(
    "%s for a fork, on pull_request_target and on a comment",
    async (command) => {
      const repository = await createTeam();
      const inputs = { command, ...(command === "export" || command === "run" ? { scopes: "prod/api" } : {}) };
      const given = command === "run" ? { ...inputs, run: "true" } : inputs;
      for (const event of ["pull_request", "pull_request_target", "issue_comment"]) {
        const result = await act(repository, given, { event, payload: fork });
        expect([result.code, result.masks, result.variables.size]).toEqual([5, [], 0]);
        expect(result.annotations[0]?.properties["title"]).toBe("E_ACTION_REFUSED");
      }
    },
  );

  it.each([
    ["SEALTREE_IDENTITY", "anything"],
    ["MY_KEY", "AGE-SECRET-KEY-1TEST"],
  ])("an identity in %s in the run of a fork", async (name, value) => {
    const step = { event: "pull_request", payload: fork, env: { [name]: value } };
    const result = await act(await createTeam(), { command: "check" }, step);
    expect(result.code).toBe(5);
    expect(result.annotations[0]?.message).toContain("an identity is in the environment");
    expect(result.raw).not.toContain(value);
  });

  it("nothing of a ref that is a commit, but warns of a tag", async () => {
    const repository = await createTeam();
    const titlesOf = async (ref: string) =>
      (await act(repository, { command: "check" }, { ref })).annotations.map(({ properties }) => properties["title"]);
    expect(await titlesOf("v1")).toContain("sealtree is not pinned");
    expect(await titlesOf("c".repeat(40))).not.toContain("sealtree is not pinned");
  });
});
