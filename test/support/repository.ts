import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeThrowAway } from "./throw-away.ts";
import { runCli, type CliOptions, type CliResult } from "./run-cli.ts";

/** A throw-away git repository with a home of its own; removed when the test file ends. */
export interface TestRepository {
  readonly root: string;
  readonly home: string;
  /** Environment of the repository's owner. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs sealtree in the repository. */
  run(argv: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>;
  /** {@link run} that throws with the output unless it ends with 0. */
  ok(argv: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>;
  /** Runs git and gives stdout. Throws when it fails. */
  git(...args: string[]): string;
  read(path: string): string;
  write(path: string, content: string | Uint8Array): void;
}

/** An empty git repository; `sealtree init` is left to the test. */
export function createRepository(name = "repo"): TestRepository {
  const base = makeThrowAway("sealtree-test-");
  const root = join(base, name);
  const home = join(base, "home");
  mkdirSync(root);
  mkdirSync(home);
  writeFileSync(
    join(home, ".gitconfig"),
    "[user]\n\tname = Alice Example\n\temail = alice@example.test\n[init]\n\tdefaultBranch = main\n",
  );
  const env = { HOME: home, GIT_CONFIG_NOSYSTEM: "1", TZ: "UTC" };
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: root,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  git("init", "--quiet");
  const run = (argv: readonly string[], options: Partial<CliOptions> = {}) =>
    runCli(argv, { cwd: root, ...options, env: { ...env, ...options.env } });
  return {
    root,
    home,
    env,
    run,
    async ok(argv, options) {
      const result = await run(argv, options);
      if (result.code !== 0) throw new Error(`sealtree ${argv.join(" ")} ended with ${result.code}\n${result.stderr}`);
      return result;
    },
    git,
    read: (path) => readFileSync(join(root, path), "utf8"),
    write(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
  };
}

/** A repository where `sealtree init --yes` has run; its owner is the member alice-example. */
export async function createSealedRepository(name?: string): Promise<TestRepository> {
  const repository = createRepository(name);
  const { root, home } = await findTemplate();
  cpSync(root, repository.root, { recursive: true });
  cpSync(home, repository.home, { recursive: true });
  return repository;
}

let template: Promise<TestRepository> | undefined;

/** One a test file, which is copied: `init` takes longer than anything else that most tests do. */
async function findTemplate(): Promise<TestRepository> {
  if (template !== undefined && existsSync((await template).root)) return await template;
  template = (async () => {
    const made = createRepository();
    await made.ok(["init", "--yes"]);
    return made;
  })();
  return await template;
}
