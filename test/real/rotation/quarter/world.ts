import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "dotenv";
import { startFakeGithubRepository, type FakeGithubRepository } from "../../../support/fakes/github-repository.ts";
import { startFakeVault, fakeVaultToken, type FakeVault } from "../../../support/fakes/vault.ts";
import { startGitServer, type GitServer } from "../../../support/git-server.ts";
import { createSealedRepository, type TestRepository } from "../../../support/repository.ts";
import type { CliResult } from "../../../support/run-cli.ts";
import { makeThrowAway } from "../../../support/throw-away.ts";
import { adminToken, startCredentialService, type CredentialService } from "./credential-service.ts";
import { openGate, type Gate } from "./gate.ts";
import { deployPolicy, providerToken, quietSecret, rotationPolicy } from "./team-policies.ts";
import {
  createRandom,
  dayMs,
  firstDayMs,
  leaversScope,
  planSecrets,
  type PlannedSecret,
  type Size,
} from "./team-plan.ts";

/** The clock of everything that is simulated and is not in a process of its own. */
export interface Clock {
  /** Time goes on from here. */
  set(ms: number): void;
  now(): number;
}

/** A team: its repository on a server, its services, its programs, and the people. */
export interface World {
  readonly size: Size;
  readonly clock: Clock;
  readonly secrets: readonly PlannedSecret[];
  readonly server: GitServer;
  readonly service: CredentialService;
  readonly vault: FakeVault;
  readonly github: FakeGithubRepository;
  /** Before the vault, and before GitHub's API. */
  readonly gates: { readonly vault: Gate; readonly github: Gate };
  /** Folder of the files that programs of the target `files` read. */
  readonly files: string;
  readonly alice: Person;
  /** Variables of a job. */
  readonly jobEnv: Readonly<Record<string, string>>;
  /** The commit that `verify` begins at. */
  readonly root: string;
  stop(): Promise<void>;
}

/** Somebody with a clone of their own. */
export interface Person {
  readonly repository: TestRepository;
  /** Runs sealtree at the time of the clock. Throws unless it ends with 0 or one of `codes`. */
  run(argv: readonly string[], stdin?: string, codes?: readonly number[]): Promise<CliResult>;
  /** Gets what the server has. */
  pull(): void;
  push(): void;
  git(...args: string[]): string;
}

const seed = 7;
/** The workflow of the daily job. */
export const rotationWorkflow = "secrets-rotation.yml";

export async function createWorld(size: Size): Promise<World> {
  const clock = createClock(firstDayMs - dayMs);
  const server = await startGitServer();
  const service = await startCredentialService(() => clock.now());
  const vault = await startFakeVault();
  const github = await startFakeGithubRepository(server);
  github.workflows.push({ id: 1, file: rotationWorkflow, state: "active", runs: [] });
  const gates = { vault: await openGate(vault.url), github: await openGate(github.url) };
  const files = makeThrowAway("sealtree-quarter-files-");
  const repository = await createSealedRepository();
  const alice = createPerson(repository, clock, server);
  const keys = join(repository.home, "keys");
  mkdirSync(keys);
  for (const name of ["alice", "bot", "bob"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `test-${name}`, "-f", join(keys, name)]);
  const secrets = planSecrets(size, createRandom(seed));
  clock.set(firstDayMs - 100 * dayMs);
  await addMembers(alice, keys);
  await setFirstValues(alice, clock, service, secrets);
  clock.set(firstDayMs - dayMs / 2);
  repository.write("policies/rotation.yaml", `${JSON.stringify(rotationPolicy(secrets, service.url), undefined, 2)}\n`);
  repository.write("policies/deploy.yaml", `${JSON.stringify(deployPolicy(gates.vault.url, files), undefined, 2)}\n`);
  alice.git("add", "policies");
  alice.git("commit", "--quiet", "-m", "policies");
  alice.git("remote", "add", "origin", server.folder);
  alice.git("push", "--quiet", "--set-upstream", "origin", "main");
  const deployed = await alice.repository.run(["deploy", "--yes"], {
    now: new Date(clock.now()),
    env: { VAULT_TOKEN: fakeVaultToken },
  });
  if (deployed.code !== 0) throw new Error(`the first deploy ended with ${deployed.code}\n${deployed.stderr}`);
  return {
    size,
    clock,
    secrets,
    server,
    service,
    vault,
    github,
    gates,
    files,
    alice,
    root: alice.git("rev-parse", "HEAD").trim(),
    jobEnv: {
      SEALTREE_IDENTITY: readFileSync(join(keys, "bot.key"), "utf8"),
      SEALTREE_SIGNING_KEY: readFileSync(join(keys, "bot"), "utf8"),
      VAULT_TOKEN: fakeVaultToken,
      GITHUB_TOKEN: "test-token",
      GITHUB_REPOSITORY: "test-owner/test-name",
      GITHUB_REF: "refs/heads/main",
      GITHUB_SERVER_URL: server.githubUrl,
      GITHUB_API_URL: gates.github.url,
      GIT_CONFIG_NOSYSTEM: "1",
      TZ: "UTC",
    },
    async stop() {
      for (const gate of Object.values(gates)) await gate.stop();
      await github.stop();
      await vault.stop();
      await service.stop();
      await server.stop();
    },
  };
}

function createClock(startMs: number): Clock {
  let [setMs, atMs] = [startMs, Date.now()];
  return {
    set(ms) {
      [setMs, atMs] = [ms, Date.now()];
    },
    now: () => setMs + (Date.now() - atMs),
  };
}

function createPerson(repository: TestRepository, clock: Clock, server: GitServer): Person {
  const env = () => {
    const date = `${Math.floor(clock.now() / 1000)} +0000`;
    return { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  };
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: repository.root,
      env: { PATH: process.env["PATH"] ?? "", ...repository.env, ...env() },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  return {
    repository,
    git,
    async run(argv, stdin, codes = []) {
      const result = await repository.run(argv, {
        now: new Date(clock.now()),
        env: env(),
        ...(stdin === undefined ? {} : { stdin }),
      });
      if (result.code !== 0 && !codes.includes(result.code))
        throw new Error(`sealtree ${argv.join(" ")} ended with ${result.code}\n${result.stderr}`);
      return result;
    },
    // By the path: the server is in this process, which waits here.
    pull: () => void git("pull", "--quiet", "--ff-only", server.folder, "main"),
    push: () => void git("push", "--quiet", server.folder, "HEAD:main"),
  };
}

function signedBy(file: string): (readonly [string, string])[] {
  return [
    ["gpg.format", "ssh"],
    ["user.signingkey", file],
    ["commit.gpgsign", "true"],
  ];
}

async function addMembers(alice: Person, keys: string): Promise<void> {
  const { repository } = alice;
  for (const [name, value] of signedBy(join(keys, "alice"))) alice.git("config", name, value);
  const policy = repository
    .read("policies/access.yaml")
    .replace("signing: off", "signing: require")
    .replace("{ roles: [senior", "{ github: alice, roles: [senior")
    .replace("version: 1\n", "version: 2\n");
  const roles = `  rotation:\n    grants: [{ scopes: ["**"], allow: [read, rotate, deploy] }]\n  app-developer:\n    grants: [{ scopes: ["${leaversScope}"], allow: [read, write] }]\n`;
  repository.write("policies/access.yaml", policy.replace("roles:\n", `roles:\n${roles}`));
  alice.git("add", "policies");
  alice.git("commit", "--quiet", "-m", "roles");
  await alice.run(["member", "add", "alice-example", "--ssh", join(keys, "alice.pub"), "--yes"]);
  for (const [name, role, ...more] of [
    ["bot", "rotation", "--machine"],
    ["bob", "app-developer"],
  ] as const) {
    const { stdout } = await alice.run(["keygen", "--x25519", "-o", join(keys, `${name}.key`)]);
    const recipient = /age1[a-z0-9]+/.exec(stdout)?.[0] ?? "";
    const ssh = join(keys, `${name}.pub`);
    await alice.run(["member", "add", name, "--recipient", recipient, "--ssh", ssh, "--role", role, ...more, "--yes"]);
  }
}

/** Each at its age, so that not all are due at once. */
async function setFirstValues(
  alice: Person,
  clock: Clock,
  service: CredentialService,
  secrets: readonly PlannedSecret[],
): Promise<void> {
  clock.set(firstDayMs - 95 * dayMs);
  await alice.run(["set", providerToken, "--stdin"], adminToken);
  await alice.run(["set", quietSecret, "--stdin"], "test-banner");
  for (const age of [...new Set(secrets.map((secret) => secret.age))].toSorted((a, b) => b - a)) {
    clock.set(firstDayMs - age * dayMs + 10 * 3_600_000);
    for (const scope of new Set(secrets.filter((it) => it.age === age).map((it) => it.scope))) {
      const own = secrets.filter((it) => it.age === age && it.scope === scope);
      const values = own.map(({ name, kind, account }) => [
        name,
        kind === "generate" ? `test-first-value-of-${account}` : service.makeKey(account),
      ]);
      const json = JSON.stringify(Object.fromEntries(values));
      await alice.run(["import", scope, "--format", "json", "--yes"], json);
    }
  }
}

/** What the issue of the rotation asks people for; undefined when none is open. */
export function readIssue({ github }: World): readonly string[] | undefined {
  const issue = github.issues.find(
    ({ body, state }) => body.startsWith("<!-- sealtree: rotation -->") && state === "open",
  );
  return issue === undefined
    ? undefined
    : [...issue.body.matchAll(/^- \[ \] `([^`]+)`/gm)].map(([, what = ""]) => what);
}

/** What the programs have, by the name of the secret. */
export function readTargets({ vault, files }: World): ReadonlyMap<string, string> {
  const held = new Map<string, string>();
  for (const [name, value] of Object.entries(vault.peek("apps/prod"))) held.set(name, String(value));
  const text = readFileSync(join(files, "app.env"), "utf8");
  for (const [name, value] of Object.entries(parse(text))) held.set(name, value);
  return held;
}
