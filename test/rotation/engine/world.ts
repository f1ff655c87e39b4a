import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readParts } from "../../../src/rotation/credential-values.ts";
import { readJournal, type Journal } from "../../../src/rotation/journal.ts";
import { baseOf, openJournaled, openLive } from "../../../src/rotation/journal-values.ts";
import { ruleFor } from "../../../src/rotation/policy.ts";
import type { RotationRequest } from "../../../src/rotation/rotation-request.ts";
import { openRotationView } from "../../../src/rotation/rotation-view.ts";
import type { RotationResult } from "../../../src/rotation/run-rotations.ts";
import { parseAddress, type Address } from "../../../src/secret/address.ts";
import type { GitServer } from "../../support/git-server.ts";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { runCli } from "../../support/run-cli.ts";
import { makeThrowAway } from "../../support/throw-away.ts";
import type { ModelKind, ModelProvider } from "./model-provider.ts";
import { runEngine, sessionIn, type Runner } from "./run-engine.ts";

/** What the remote says, opened. */
export interface Head {
  /** Parts of the live value. */
  readonly live: Readonly<Record<string, string>>;
  readonly journal: Journal | undefined;
  /** Every value that the remote keeps, also those of the journal. */
  readonly held: readonly string[];
  /** True while the live values are those that the rotation in flight began with. */
  readonly isOnBase: boolean;
}

/** Somebody of the team in a clone. */
export interface Person {
  readonly root: string;
  /** Runs sealtree. Throws with what it said unless it ends with 0. */
  readonly run: (argv: readonly string[], stdin?: string) => Promise<void>;
  readonly git: (...args: string[]) => string;
  readonly edit: (path: string, change: (text: string) => string) => void;
}

/** A remote, a team's secret, its provider and a clock; runs come and go. */
export interface World {
  readonly address: Address;
  readonly provider: ModelProvider;
  /** Path of the bare repository. */
  readonly remote: string;
  /** The server before it; undefined where clones go by the path. */
  readonly server: GitServer | undefined;
  /** Of whoever runs in a clone. */
  readonly env: Readonly<Record<string, string>>;
  nowMs: number;
  /** A fresh clone; gives its root. */
  clone(...options: string[]): string;
  /** One run of the engine in a fresh clone, or in `root`. */
  rotate(
    request?: Partial<RotationRequest>,
    root?: string,
    runner?: Partial<Pick<Runner, "now" | "holder" | "timeoutMs" | "forMerge">>,
  ): Promise<RotationResult[]>;
  /** What a branch of the remote says, main without one. */
  head(branch?: string): Promise<Head>;
  /** A commit of a person on the remote branch: `work` in the work tree of a fresh clone, then a push. */
  person(work: (at: Person) => Promise<void>): Promise<void>;
  /** Git in the bare repository. */
  git(...args: string[]): string;
  /** Another world that begins as this one is now, with a provider of its own. */
  fork(): World;
}

export interface WorldOptions {
  /** Puts a server before the bare repository: `startGitServer`. */
  readonly serve?: (folder: string) => Promise<GitServer>;
}

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const address = parseAddress("dev/db/PASSWORD");

/** A repository whose secret is at `provider`, pushed to a remote. */
export async function createWorld(provider: ModelProvider, { serve }: WorldOptions = {}): Promise<World> {
  const { owner, remote: template } = await findTemplate(provider);
  const remote = copyOf(template);
  const server = await serve?.(remote);
  return openWorld(provider, owner, remote, server, Date.parse("2026-03-01T02:00:00Z"));
}

function openWorld(
  provider: ModelProvider,
  owner: TestRepository,
  remote: string,
  server: GitServer | undefined,
  startMs: number,
): World {
  const base = makeThrowAway("sealtree-world-");
  const env = { PATH: process.env["PATH"] ?? "", ...owner.env, ...server?.env };
  let clones = 0;

  const world: World = {
    address,
    provider,
    remote,
    server,
    env,
    nowMs: startMs,
    clone(...options) {
      const root = join(base, `clone-${++clones}`);
      // By the path also when there is a server: it is in this process, which waits here.
      gitIn(base, env, "clone", "--quiet", ...options, options.length < 2 ? remote : `file://${remote}`, root);
      gitIn(root, env, "config", "remote.origin.url", server?.url ?? remote);
      return root;
    },
    async rotate(request = {}, root, runner = {}) {
      const whole: RotationRequest = { address, wants: "new value", urgency: "planned", isNamed: true, ...request };
      const bind = provider.bind.bind(provider);
      const place = root ?? world.clone("--no-checkout");
      try {
        return await runEngine({ root: place, env, now: () => new Date(world.nowMs), bind, ...runner }, [whole]);
      } finally {
        // Nothing of a run outlives it but what the remote has.
        if (root === undefined) rmSync(place, { recursive: true, force: true });
      }
    },
    async head(branch = "main") {
      const commit = world.git("rev-parse", branch).trim();
      const view = await openRotationView(sessionIn({ root: remote, env, now: () => new Date(world.nowMs) }), commit);
      try {
        const rule = ruleFor(await view.rules(), address);
        if (rule === undefined) throw new Error("the policy has a rule");
        const scope = await view.scope(address.scope);
        const parts = readParts(address, rule, provider.parts, await openLive(scope, address, rule));
        const live = Object.fromEntries(
          Object.entries(parts).map(([name, secret]) => [name, secret.revealText() ?? ""]),
        );
        const journal = await readJournal(view.tree, address);
        const held: string[] = Object.values(live);
        for (const purpose of ["pending", "previous"] as const) {
          const credential = journal?.[purpose];
          if (credential === undefined) continue;
          for (const secret of (await openJournaled(scope, credential, purpose)).values())
            held.push(secret.revealText() ?? "");
        }
        const isOnBase =
          journal !== undefined && isDeepStrictEqual(baseOf(scope.open.entries, address, rule), journal.base);
        return { live, journal, held, isOnBase };
      } finally {
        view.close();
      }
    },
    async person(work) {
      const root = world.clone();
      await work({
        root,
        async run(argv, stdin) {
          const { code, stderr } = await runCli(argv, { cwd: root, env, ...(stdin === undefined ? {} : { stdin }) });
          if (code !== 0) throw new Error(`sealtree ${argv.join(" ")} ended with ${code}\n${stderr}`);
        },
        git: (...args) => gitIn(root, env, ...args),
        edit: (path, change) => writeFileSync(join(root, path), change(readFileSync(join(root, path), "utf8"))),
      });
      gitIn(root, env, "push", "--quiet", remote, "HEAD:main");
    },
    git: (...args) => gitIn(remote, env, ...args),
    fork: () => openWorld(provider.copy(), owner, copyOf(remote), undefined, world.nowMs),
  };
  return world;
}

interface Template {
  readonly owner: TestRepository;
  readonly remote: string;
}

const templates = new Map<ModelKind, Promise<Template>>();

/** One a kind and test file, whose remote is copied: making it takes longer than rotating. */
async function findTemplate(provider: ModelProvider): Promise<Template> {
  const known = templates.get(provider.kind);
  // Throw-aways are gone when the test file that made them is over.
  if (known !== undefined && existsSync((await known).remote)) {
    provider.seed();
    return await known;
  }
  const made = makeTemplate(provider);
  templates.set(provider.kind, made);
  return await made;
}

async function makeTemplate(provider: ModelProvider): Promise<Template> {
  const owner = await createSealedRepository();
  const base = makeThrowAway("sealtree-template-");
  const companions = provider.parts.slice(1).map((part) => [part, part.toUpperCase()] as const);
  const nameOf = (part: string) => companions.find(([name]) => name === part)?.[1] ?? address.name;
  for (const [part, value] of Object.entries(provider.seed()))
    await owner.ok(["set", `dev/db/${nameOf(part)}`, "--stdin"], { stdin: value });
  const parts = companions.map(([part, name]) => `${part}: ${name}`).join(", ");
  owner.write(
    "policies/rotation.yaml",
    `secrets:\n  dev/db/PASSWORD: { rotator: manual, grace: 24h, parts: { ${parts} } }\n`,
  );
  owner.git("add", "policies/rotation.yaml");
  owner.git("commit", "--quiet", "-m", "rotation policy");
  const remote = join(base, "remote.git");
  gitIn(base, owner.env, "init", "--quiet", "--bare", "--initial-branch=main", remote);
  owner.git("push", "--quiet", remote, "main");
  return { owner, remote };
}

function copyOf(bare: string): string {
  const copy = join(makeThrowAway("sealtree-remote-"), "remote.git");
  cpSync(bare, copy, { recursive: true });
  return copy;
}

function gitIn(cwd: string, env: Readonly<Record<string, string>>, ...args: string[]): string {
  return execFileSync("git", args, {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}
