import { execFile } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ed25519TestKey, opensshFile } from "../crypto/ssh-keys.ts";
import type { FakeGithubRepository } from "./fakes/github-repository.ts";
import { startGitServer, type GitServer } from "./git-server.ts";
import { createRepository, createSealedRepository, type TestRepository } from "./repository.ts";
import { makeThrowAway } from "./throw-away.ts";

/** Midnight of a day in the year that the tests of rotation play in, by its number from 1 March 2026. */
export const day = (number: number): Date => new Date(Date.parse("2026-03-01T02:00:00Z") + number * 86_400_000);

/** A job's clone, and the environment that its workflow gives every step. */
export interface JobClone {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A team on a git host, whose secrets a bot rotates by the Action. */
export interface RotationTeam {
  readonly owner: TestRepository;
  readonly server: GitServer;
  /** The private key that the bot signs with, as its secret has it. */
  readonly signingKey: string;
  /** The commit that a verifier trusts: from here on each change must be signed by a member. */
  readonly root: string;
  /** A new clone of main without credentials, on a machine that knows no committer. */
  clone(github?: FakeGithubRepository): Promise<JobClone>;
  /** Commits the owner's work tree and has the host bring it to main, also where that takes no pushes. */
  publish(message: string): Promise<void>;
  /** Merges a branch into main at the host, as the button of a pull request does. */
  merge(branch: string): void;
}

const rotator = `  rotator:
    grants:
      - { scopes: ["dev/**"], allow: [read, rotate] }
`;

const key = ed25519TestKey("bot of a team");
const keyFile = "bot.key";

/** A team with `secrets`, by address, and the text of `policies/rotation.yaml`. All are set on day 0. */
export async function createRotationTeam(
  secrets: Readonly<Record<string, string>>,
  rules: string,
): Promise<RotationTeam> {
  const template = await findTemplate(secrets, rules);
  const owner = createRepository();
  cpSync(template.root, owner.root, { recursive: true });
  cpSync(template.home, owner.home, { recursive: true });
  const base = makeThrowAway("sealtree-server-");
  await git(base, "clone", "--quiet", "--bare", owner.root, "remote.git");
  const server = await startGitServer(join(base, "remote.git"));
  await git(owner.root, "remote", "add", "origin", server.folder);
  const file = join(owner.home, keyFile);
  return {
    owner,
    server,
    signingKey: await opensshFile(key),
    root: owner.git("rev-parse", "HEAD").trim(),
    async clone(github) {
      const root = join(makeThrowAway("sealtree-workspace-"), "name");
      await git(server.folder, "clone", "--quiet", server.folder, root);
      await git(root, "config", "remote.origin.url", `${server.githubUrl}/test-owner/test-name`);
      return {
        root,
        env: {
          HOME: makeThrowAway("sealtree-job-"),
          GIT_CONFIG_NOSYSTEM: "1",
          SEALTREE_IDENTITY: readFileSync(file, "utf8"),
          SEALTREE_SIGNING_KEY: await opensshFile(key),
          GITHUB_SERVER_URL: server.githubUrl,
          GITHUB_REPOSITORY: "test-owner/test-name",
          ...(github === undefined ? {} : { GITHUB_API_URL: github.url }),
        },
      };
    },
    async publish(message) {
      await git(owner.root, "add", "--all");
      await git(owner.root, "-c", "user.name=Test", "-c", "user.email=test@example.test", "commit", "-qm", message);
      await git(owner.root, "push", "--quiet", "origin", "HEAD:refs/heads/person");
      server.git("update-ref", "refs/heads/main", "person");
      server.git("update-ref", "-d", "refs/heads/person");
    },
    merge(branch) {
      server.git("config", "user.name", "Test Host");
      server.git("config", "user.email", "host@example.test");
      const parents = ["-p", "main", "-p", branch];
      const commit = server.git("commit-tree", `${branch}^{tree}`, ...parents, "-m", "merged").trim();
      server.git("update-ref", "refs/heads/main", commit);
    },
  };
}

const templates = new Map<string, Promise<TestRepository>>();

/** One for the tests of a file that want the same, which is copied. */
async function findTemplate(secrets: Readonly<Record<string, string>>, rules: string): Promise<TestRepository> {
  const name = JSON.stringify([secrets, rules]);
  const made = templates.get(name) ?? createTemplate(secrets, rules);
  templates.set(name, made);
  return await made;
}

async function createTemplate(secrets: Readonly<Record<string, string>>, rules: string): Promise<TestRepository> {
  const owner = await createSealedRepository();
  const recipient = (await owner.ok(["keygen", "-o", join(owner.home, keyFile), "--x25519"])).stdout.trim();
  const policy = owner
    .read("policies/access.yaml")
    .replace("signing: off", "signing: require")
    .replace("{ roles: [senior", "{ github: alice, roles: [senior");
  owner.write("policies/access.yaml", `${policy}${rotator}`);
  owner.git("commit", "--quiet", "--all", "-m", "a role for the bot");
  const publicKey = `ssh-ed25519 ${Buffer.from(key.publicKey.blob).toString("base64")}`;
  const member = ["member", "add", "bot", "--machine", "--recipient", recipient, "--ssh", publicKey];
  await owner.ok([...member, "--role", "rotator", "--yes"]);
  for (const [address, stdin] of Object.entries(secrets))
    await owner.ok(["set", address, "--stdin"], { stdin, now: day(0) });
  owner.write("policies/rotation.yaml", rules);
  owner.git("add", "--all");
  owner.git("commit", "--quiet", "-m", "rotation policy");
  return owner;
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)("git", args, { cwd })).stdout;
}
