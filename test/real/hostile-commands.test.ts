import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/program.ts";
import { exitCodes } from "../../src/errors.ts";
import { commandLines, type CommandLine } from "../leaks/command-lines.ts";
import {
  createHostileHistory,
  createHostileRepository,
  outsideText,
  type HostileRepository,
} from "../support/hostile-repository.ts";

/** All controls but tab and line break, and what turns the direction or shows nothing. */
const raw =
  // oxlint-disable-next-line no-control-regex -- the point is that there are none
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
/** What a runner takes for a command: one kind at the start of a line, the others anywhere. */
const runnerCommand = /^\s*::|##\[|##vso\[/i;
/** Those that are made to be one. */
const annotation = /^::(?:(?:error|warning|notice) file=|add-mask::)/;
/**
 * Hooks that git runs when a ref or the index changes, whoever changes it. They are the user's own
 * by design, as with git commit and git add, so a command that writes runs them.
 */
const writingHooks = ["hook post-index-change", "hook reference-transaction"];

/** Revisions, ranges and names that git could take for options, for each command that takes one. */
const optionLike: Readonly<Record<string, readonly (readonly string[])[]>> = {
  get: [
    ["get", "dev/app/API_KEY", "--at=--output=CANARY"],
    ["get", "dev/app/API_KEY", "--at=refs/heads/-n"],
  ],
  list: [
    ["list", "--at=refs/heads/bidi-\u202egnp"],
    ["list", "--at=-n"],
    ["list", "--", "--output=CANARY"],
  ],
  log: [
    ["log", "dev/app", "--at=refs/heads/--output=CANARY"],
    ["log", "--at=refs/heads/--help"],
  ],
  blame: [["blame", "dev/app", "--at=refs/tags/--upload-pack=touch"]],
  diff: [
    ["diff", "--", "--output=CANARY"],
    ["diff", "--", "--output=CANARY..HEAD"],
    ["diff", "--", "refs/heads/-n..refs/heads/c1-\u009b31m"],
  ],
  review: [
    ["review", "--exit-zero", "--", "--output=CANARY..HEAD"],
    ["review", "--exit-zero", "refs/heads/--help..HEAD"],
  ],
  verify: [
    ["verify", "--root=--output=CANARY"],
    ["verify", "--range=--output=CANARY..HEAD"],
    ["verify", "--range", "HEAD~1..refs/remotes/origin/--exec=touch"],
    ["verify", "--deployed=--exec=touch", "--anchor=-n"],
  ],
  check: [
    ["check", "--base=--output=CANARY"],
    ["check", "--at=refs/heads/-n"],
    ["check", "--format", "github"],
  ],
  scan: [
    ["scan", "--", "--output=CANARY"],
    ["scan", "--history", "--", "--output=CANARY"],
  ],
  rollback: [["rollback", "dev/app", "--to=--output=CANARY", "--yes"]],
  run: [["run", "dev/app", "--at=--output=CANARY", "--", "true"]],
  export: [["export", "dev/app", "--at=--output=CANARY", "--yes"]],
};

function prepare(repository: HostileRepository): void {
  const outside = join(repository.root, "..");
  copyFileSync(join(repository.root, "secrets/dev/app.yaml"), join(outside, "sealed.yaml"));
  writeFileSync(join(outside, "plain.yaml"), "$sealtree: 1\n$scope: dev/app\n\nAPI_KEY: test-value\n");
}

/** The programs that ran since the last time, by the key of the setting that names them. */
function takeSprung({ canary }: HostileRepository): string[] {
  if (!existsSync(canary)) return [];
  const sprung = new Set(readFileSync(canary, "utf8").trim().split("\n"));
  rmSync(canary);
  return [...sprung];
}

/** Runs a line and says what is wrong with what it did. */
async function findFaults(repository: HostileRepository, name: string, line: CommandLine): Promise<string[]> {
  const kind = (await commands[name]?.load())?.kind;
  const mayWrite = (kind === "write" || kind === "both") && !line.argv.includes("--dry-run");
  const { code, stdout, stderr } = await repository.run(line.argv, {
    ...(line.stdin === undefined ? {} : { stdin: line.stdin }),
    env: { ...line.env },
  });
  const lines = [...stdout.split("\n"), ...stderr.split("\n")];
  const mayAnnotate = line.argv.includes("github");
  const sprung = takeSprung(repository).filter((key) => !mayWrite || !writingHooks.includes(key));
  return [
    ...(code === exitCodes.bug ? [stderr] : []),
    ...sprung.map((key) => `runs ${key}`),
    ...lines.filter((each) => raw.test(each)).map((each) => `prints raw ${JSON.stringify(each)}`),
    ...lines
      .filter((each) => runnerCommand.test(each) && !(mayAnnotate && annotation.test(each)))
      .map((each) => `prints the command ${JSON.stringify(each)}`),
    ...(`${stdout}${stderr}`.includes(outsideText) ? ["prints what lies outside"] : []),
  ].map((fault) => `${line.argv.join(" ")}: ${fault}`);
}

describe("every command", () => {
  it("is in the table that is run here", () => {
    expect(Object.keys(commandLines).toSorted()).toEqual(Object.keys(commands).toSorted());
    expect(Object.keys(optionLike).filter((name) => !Object.hasOwn(commands, name))).toEqual([]);
  });
});

describe.each([
  ["whose settings, history, refs and names are hostile", createHostileHistory],
  ["whose work tree is hostile", createHostileRepository],
])("in a repository %s", (_what, create) => {
  let repository: HostileRepository;
  let recipient: string;

  beforeAll(async () => {
    repository = await create();
    recipient = (await repository.ok(["keygen", "--x25519", "-o", "../bob.key"])).stdout.trim();
    prepare(repository);
    takeSprung(repository);
  });
  afterAll(() => repository.close());

  it("git itself runs the programs, so that they are there to be run", () => {
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    const off = "-c filter.evil.process= -c filter.evil.clean= -c filter.evil.required=false -c core.fsmonitor=false";
    // What `status` compares depends on the second in which a file was written; this is asked for by name.
    const filtered = "hash-object --path=secrets/dev/app.yaml secrets/dev/app.yaml";
    const lines = [
      "status",
      filtered,
      `${off} diff HEAD~1`,
      `${off} update-ref refs/heads/armed HEAD`,
      `${off} log -1 HEAD`,
    ];
    // Some of the programs end badly, and git with them.
    for (const line of lines)
      execFileSync("sh", ["-c", `git ${line} >/dev/null 2>&1; true`], { cwd: repository.root, env });
    const armed = ["core.fsmonitor", "filter.evil.process", "diff.evil.command", "hook reference-transaction"];
    const signed = create === createHostileHistory ? ["gpg.ssh.program"] : [];
    expect(takeSprung(repository)).toEqual(expect.arrayContaining([...armed, ...signed]));
  });

  it("no command runs a program of the repository, prints a raw control, or what a runner takes for a command", async () => {
    const faults: string[] = [];
    const words = (argv: readonly string[]) =>
      argv.map((word) => (word === "RECIPIENT" ? recipient : word.replace("CANARY", repository.canary)));
    for (const [name, all] of Object.entries(commandLines)) {
      const odd = (optionLike[name] ?? []).map((argv): CommandLine => ({ argv }));
      for (const line of [...odd, ...all])
        for (const argv of [words(line.argv), ["--json", ...words(line.argv)]])
          faults.push(...(await findFaults(repository, name, { ...line, argv })));
    }
    expect(faults).toEqual([]);
  });
});

describe("in a clone that leaves out objects, and names a program to fetch them by", () => {
  let repository: HostileRepository;
  let missing: string;

  beforeAll(async () => {
    repository = await createHostileHistory();
    prepare(repository);
    missing = repository.git("rev-parse", "HEAD~2:secrets/dev/app.yaml").trim();
    rmSync(join(repository.root, ".git/objects", missing.slice(0, 2), missing.slice(2)));
    for (const [key, value] of Object.entries({
      "core.repositoryFormatVersion": "1",
      "extensions.partialClone": "evil",
      "remote.evil.promisor": "true",
      "remote.evil.url": `ext::sh -c echo% remote>>${repository.canary}`,
      "protocol.ext.allow": "always",
    }))
      repository.git("config", key, value);
  });

  it("git itself runs that program", () => {
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    execFileSync("sh", ["-c", `git cat-file -e ${missing} 2>/dev/null; true`], { cwd: repository.root, env });
    expect(takeSprung(repository)).toEqual(["remote"]);
  });

  it("no command that reads runs it, and none takes what is not there for what never was", async () => {
    const faults: string[] = [];
    const lines: readonly (readonly [string, ...string[]])[] = [
      ["get", "dev/app/API_KEY", "--at", "HEAD~2"],
      ["list", "dev/app", "--at", "HEAD~2"],
      ["log", "dev/app/API_KEY"],
      ["log"],
      ["blame", "dev/app"],
      ["diff", "HEAD~2"],
      ["review", "HEAD~2..HEAD", "--deep"],
      ["verify", "--root", "HEAD~2"],
      ["check", "--base", "HEAD~2"],
      ["check", "--at", "HEAD~2"],
      ["scan", "--history", "--all-versions"],
      ["exposure", "alice-example"],
      ["rollback", "dev/app/API_KEY", "--to", "1", "--dry-run"],
      ["audit"],
      ["status"],
      ["doctor"],
    ];
    for (const argv of lines) faults.push(...(await findFaults(repository, argv[0], { argv })));
    expect(faults).toEqual([]);
    const got = await repository.run(["get", "dev/app/API_KEY", "--at", "HEAD~2"]);
    expect([got.code, got.stderr]).toEqual([
      6,
      expect.stringContaining("the clone does not hold secrets/dev/app.yaml"),
    ]);
  });
});
