import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readParts, type Values } from "../../../../src/rotation/credential-values.ts";
import { readJournal, type Journal } from "../../../../src/rotation/journal.ts";
import { openJournaled, openLive } from "../../../../src/rotation/journal-values.ts";
import { ruleFor } from "../../../../src/rotation/policy.ts";
import { openRotationView } from "../../../../src/rotation/rotation-view.ts";
import { bindProvider } from "../../../../src/rotation/rotators/registry.ts";
import { startGitServer, type GitServer } from "../../../support/git-server.ts";
import { sessionIn } from "../../../rotation/engine/run-engine.ts";
import type { Parts } from "./lane.ts";
import { address, type Base, type Template } from "./template.ts";

/** What a commit of the remote says, opened. */
export interface Head {
  readonly commit: string;
  readonly live: Parts;
  readonly journal: Journal | undefined;
  /** The live credential and those of the journal. */
  readonly held: readonly Parts[];
}

/** The remote of one case, behind HTTP, and clones of it. */
export interface Field {
  readonly server: GitServer;
  readonly env: Readonly<Record<string, string>>;
  /** Another machine's clone, as old as the case; gives its root. */
  clone(): string;
  /** What the remote says now. */
  head(): Promise<Head>;
  remove(): Promise<void>;
}

/** A copy of a moment, in memory where there is such a place. */
export async function openField(template: Template, from: Base): Promise<Field> {
  const base = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "sealtree-crash-"));
  const remote = join(base, "remote.git");
  cpSync(from.remote, remote, { recursive: true });
  const server = await startGitServer(remote);
  const env = { ...template.env, ...server.env };
  let clones = 0;
  let known: Promise<Head> | undefined;
  let knownCommit: string | undefined;
  return {
    server,
    env,
    clone() {
      const root = join(base, `clone-${++clones}`);
      cpSync(from.clone, root, { recursive: true });
      const config = join(root, ".git", "config");
      writeFileSync(config, readFileSync(config, "utf8").replace(from.origin, server.url));
      return root;
    },
    async head() {
      const commit = readFileSync(join(remote, "refs", "heads", "main"), "utf8").trim();
      if (known === undefined || knownCommit !== commit) known = openHead({ root: remote, env }, commit);
      knownCommit = commit;
      return await known;
    },
    async remove() {
      await server.stop();
      rmSync(base, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function openHead(at: { root: string; env: Readonly<Record<string, string>> }, commit: string): Promise<Head> {
  const view = await openRotationView(sessionIn({ ...at, now: () => new Date() }), commit);
  try {
    const rule = ruleFor(await view.rules(), address);
    const bound = rule === undefined ? undefined : bindProvider(rule.rotator, rule.options);
    if (rule === undefined || bound === undefined) throw new Error("the policy has a rule with a provider");
    const scope = await view.scope(address.scope);
    const read = (values: Values): Parts =>
      Object.fromEntries(
        Object.entries(readParts(address, rule, bound.parts, values)).map(([part, value]) => [
          part,
          value.revealText() ?? "",
        ]),
      );
    const live = read(await openLive(scope, address, rule));
    const journal = await readJournal(view.tree, address);
    const held = [live];
    for (const purpose of ["pending", "previous"] as const) {
      const credential = journal?.[purpose];
      if (credential !== undefined) held.push(read(await openJournaled(scope, credential, purpose)));
    }
    return { commit, live, journal, held };
  } finally {
    view.close();
  }
}
