import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Finding } from "../../src/store/finding.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const scopeFile = "secrets/dev/app.yaml";
let repository: TestRepository;
let start: string;

async function findingsOf(rule: string, now?: Date): Promise<readonly Finding[]> {
  const result = await repository.run(["check", "--json"], now === undefined ? {} : { now });
  return result.json<{ findings: Finding[] }>().findings.filter((finding) => finding.rule === rule);
}

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  for (const name of ["API_KEY", "OTHER_KEY"]) {
    const now = new Date("2026-01-01T12:00:00Z");
    await repository.ok(["set", `dev/app/${name}`, "--stdin"], { stdin: `test-${name}`, now });
  }
  start = repository.git("rev-parse", "HEAD").trim();
});

beforeEach(() => {
  repository.git("reset", "--quiet", "--hard", start);
  repository.git("clean", "--quiet", "-ffdx");
});

describe("required-name", () => {
  it("finds names that the schema requires and a scope lacks, and rules for no scope", async () => {
    repository.write(
      "policies/schema.yaml",
      'version: 1\nrules:\n  - scopes: ["dev/**"]\n    required: [SMTP_HOST, API_KEY, DATABASE_URL]\n  - scopes: ["prod/**"]\n    required: [API_KEY]\n',
    );
    expect(await findingsOf("required-name")).toMatchObject([
      { severity: "warning", file: "policies/schema.yaml", line: 5 },
      {
        severity: "error",
        message: "dev/app lacks what policies/schema.yaml requires: DATABASE_URL, SMTP_HOST",
        file: scopeFile,
        line: 1,
        hint: "sealtree set dev/app/DATABASE_URL",
      },
    ]);
    expect(await findingsOf("stray-file")).toEqual([]);
  });

  it("reports a schema that is wrong, with its line", async () => {
    repository.write("policies/schema.yaml", "version: 1\nrules: []\nformats: {}\n");
    expect(await findingsOf("schema")).toMatchObject([{ severity: "error", file: "policies/schema.yaml", line: 3 }]);
  });
});

describe("the rotation rules", () => {
  const policy = "secrets:\n  dev/app/API_KEY: { interval: 30d }\n  dev/app/GONE: {}\n  prod/web/KEY: {}\n";

  it("report what is overdue as a warning, and what is due as a notice", async () => {
    repository.write("policies/rotation.yaml", policy);
    expect(await findingsOf("rotation-overdue", new Date("2026-01-15T00:00:00Z"))).toEqual([]);
    expect(await findingsOf("rotation-overdue", new Date("2026-04-11T12:00:00Z"))).toMatchObject([
      {
        severity: "warning",
        message: "overdue for rotation: API_KEY (100 days old)",
        file: scopeFile,
        line: 4,
        hint: "sealtree set dev/app/API_KEY",
      },
    ]);
    const from = Date.UTC(2026, 0, 20);
    const days = Array.from({ length: 14 }, (_, day) => new Date(from + day * 86_400_000));
    const due = await Promise.all(days.map(async (now) => await findingsOf("rotation-due", now)));
    expect(due.flat()).toMatchObject([{ severity: "notice", message: "due for rotation: API_KEY", line: 4 }]);
    repository.write(
      "policies/rotation.yaml",
      policy.replace("interval: 30d", "interval: 30d, rotator: generate, options: { kind: hex }"),
    );
    expect(await findingsOf("rotation-overdue", new Date("2026-04-11T12:00:00Z"))).toMatchObject([
      { hint: "sealtree rotate dev/app/API_KEY" },
    ]);
  });

  it("warn of rules for secrets that are not there, also of scopes that are not, and of secrets without a rule", async () => {
    repository.write("policies/rotation.yaml", policy);
    expect((await findingsOf("rotation-policy")).map(({ severity, line }) => [severity, line])).toEqual([
      ["warning", 3],
      ["warning", 4],
    ]);
    expect(await findingsOf("no-rotation-rule")).toMatchObject([{ file: scopeFile, line: 6 }]);
  });
});

describe("hostile-attributes", () => {
  const ours = () => repository.read(".gitattributes");
  const linesOf = async () =>
    (await findingsOf("hostile-attributes")).map(({ severity, line }) => `${severity} ${line ?? "-"}`);

  it("accepts our own lines and those that do not touch our files", async () => {
    repository.write(
      ".gitattributes",
      `*.png filter=lfs diff=lfs merge=lfs -text\n* text=auto\n/docs/** diff=x ident\n${ours()}`,
    );
    expect(await linesOf()).toEqual([]);
  });

  it.each([
    ["* filter=x", ["error 1"]],
    ["access.yaml merge=union", ["error 1"]],
    ["policies/** eol=crlf", ["error 1"]],
    ["*.pub diff=x", ["warning 1"]],
    ["secrets/dev/app.yaml ident", ["error 1"]],
    ["*.pub working-tree-encoding=UTF-8", []],
    ["secrets/**/*.yaml merge=x", ["error 1"]],
  ])("judges %s", async (line, expected) => {
    repository.write(".gitattributes", `${line}\n`);
    expect(await linesOf()).toEqual(expected);
  });

  it("lets a later line take the harm away, and finds one that puts it back", async () => {
    const lines = ours();
    repository.write(".gitattributes", `secrets/**/*.yaml merge=x eol=crlf\n${lines}`);
    expect(await linesOf()).toEqual([]);
    repository.write(".gitattributes", `${lines}secrets/dev/app.yaml merge=x\n`);
    expect(await linesOf()).toEqual([`error ${lines.split("\n").length}`]);
  });

  it("finds lines in a folder of ours, and does not judge more than a thousand lines", async () => {
    repository.write("secrets/.gitattributes", "*.yaml -diff\napp.yaml filter=x\n");
    expect(await findingsOf("hostile-attributes")).toMatchObject([{ file: "secrets/.gitattributes", line: 2 }]);
    repository.write("secrets/.gitattributes", "*.png filter=x\n".repeat(1002));
    const own = ours()
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(await linesOf()).toEqual([`error ${1001 - own.length}`]);
  });
});
