import { exitCodes, SealtreeError, usageError } from "../../errors.ts";
import { findGitDirectories } from "../../git/commit.ts";
import { findOperation } from "../../git/in-progress.ts";
import { hasGit } from "../../git/place.ts";
import { findMergedKind } from "../../history/merge-content.ts";
import {
  isDone,
  planResolution,
  type Choose,
  type FileResolution,
  type OpenConflict,
} from "../../history/resolve-conflicts.ts";
import { isScopePath, parseAddress } from "../../secret/address.ts";
import { parseSecretsPath, scopeFilePath } from "../../store/layout.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { writeFiles } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { conflictJson, describeConflict, findWriters } from "../report-conflicts.ts";

export const resolve: CommandModule = {
  arguments: "[address|scope|path]",
  kind: "plain",
  description:
    "Settles what a merge left in conflict, in scope files, keyrings, key files and policies. Merges them again by what they say, from the versions that git keeps, so that only what both sides changed is left; lists that, without a value; and takes the side that is named, or asks on a terminal. Files that are settled are added to git's index. No commit is made: the merge that is in progress makes it.",
  options: [
    { flags: "--ours", description: "take what this branch has" },
    { flags: "--theirs", description: "take what comes in" },
    { flags: "--newest", description: "take the value that was set last; for secrets" },
    { flags: "--all", description: "of everything that is in conflict" },
    { flags: "--dry-run", description: "say what would become of it, and change nothing" },
  ],
  examples: [
    {
      command: "sealtree resolve",
      description: "what is in conflict, after a merge in a clone without the driver too",
    },
    { command: "sealtree resolve prod/api/STRIPE_KEY --theirs", description: "one secret" },
    { command: "sealtree resolve --all --ours", description: "everything as on this branch" },
  ],
  json: '{"resolved": [path], "edited": [path], "open": [{"path", "scope"|null, "name", "what", "ours", "theirs": {"value_id", "set_at", "by"|null, "commit"|null}|null}], "dry_run": boolean}',
  async run(context, [target], options) {
    context.about({ operation: "resolve" });
    const place = context.place();
    if (!hasGit(place)) throw nothingToResolve("this is not a git repository");
    const side = readChoice(options);
    const isAll = options["all"] === true;
    if (isAll && target !== undefined) throw usage("--all is for everything: leave the name out");
    if (side !== undefined && target === undefined && !isAll)
      throw usage(`--${side} of what? name a secret, a scope or a file, or say --all`);
    if (isAll && side === undefined) throw usage("--all takes --ours, --theirs or --newest");
    const covers: Covers = target === undefined ? () => "as part" : readTarget(target);
    const choose: Choose = (path, name) => {
      const covered = covers(path, name);
      return side === undefined || covered === "not" ? undefined : { side, isExplicit: covered === "itself" };
    };
    const before = await planResolution(place, openWorkTree(place.root), () => undefined);
    requireConflict(before, target, covers);
    const choices = side === undefined ? await ask(context, before, covers) : choose;
    const files = await apply(context, choices);
    return await report(context, files);
  },
};

/** Whether the command line means a conflict: by its name, as part of a scope or of everything, or not. */
type Covers = (path: string, name: string) => "itself" | "as part" | "not";

function readChoice(options: Readonly<Record<string, unknown>>): "ours" | "theirs" | "newest" | undefined {
  const sides = (["ours", "theirs", "newest"] as const).filter((side) => options[side] === true);
  if (sides.length > 1) throw usage(`--${sides.join(" and --")} are one too many`);
  return sides[0];
}

/** What of the conflicts a name on the command line means. Throws what parseAddress throws. */
function readTarget(text: string): Covers {
  if (findMergedKind(text) !== undefined) return (path) => (path === text ? "itself" : "not");
  const isScope = isScopePath(text);
  // Lower-case words may be a scope and an address.
  const address = isScope && !text.includes("/") ? undefined : parseAddress(text);
  return (path, name) => {
    if (address !== undefined && path === scopeFilePath(address.scope) && name === address.name) return "itself";
    return isScope && parseSecretsPath(path)?.scope === text ? "as part" : "not";
  };
}

function requireConflict(files: readonly FileResolution[], target: string | undefined, covers: Covers): void {
  if (target === undefined) return;
  const isThere = files.some(({ path, open }) =>
    [path, ...open.map(({ name }) => name)].some((name) => covers(path, name) !== "not"),
  );
  if (isThere) return;
  throw nothingToResolve(files.length === 0 ? "no file of sealtree is in conflict" : `${target} is not in conflict`);
}

/** Asks about each conflict, where somebody can be asked. */
async function ask(context: Context, files: readonly FileResolution[], covers: Covers): Promise<Choose> {
  const { json, dryRun } = context.options;
  const answers = new Map<string, ReturnType<Choose>>();
  if (context.isInteractive && !json && !dryRun) {
    const { askText } = await import("../prompt.ts");
    const writers = await findWriters(context, files);
    for (const conflict of files.flatMap(({ open }) => open)) {
      const { path, name, isChoice } = conflict;
      if (!isChoice || covers(path, name) === "not") continue;
      for (const line of describeConflict(context, conflict, writers)) context.say(line);
      const answer = await askText(context.io, "take ours, theirs, the newest, or leave it? [o/t/n/L] ");
      const side = ({ o: "ours", t: "theirs", n: "newest" } as const)[answer.trim().toLowerCase()];
      if (side !== undefined) answers.set(`${path}\n${name}`, { side, isExplicit: true });
    }
  }
  return (path, name) => answers.get(`${path}\n${name}`);
}

/** Writes what is settled, and of the rest as much as is. Throws what writeFiles throws. */
async function apply(context: Context, choose: Choose): Promise<readonly FileResolution[]> {
  const options = { commit: false, dryRun: context.options.dryRun };
  const { result } = await writeFiles(context.place(), options, async (tree) => {
    const files = await planResolution(context.place(), tree, choose);
    return {
      changes: files.flatMap(({ changes }) => changes),
      touched: [],
      staged: files.filter(isDone).flatMap(({ changes }) => changes.map(({ path }) => path)),
      text: { subject: "", reason: "manual" },
      result: files,
    };
  });
  return result;
}

async function report(context: Context, files: readonly FileResolution[]): Promise<number> {
  const { dryRun, json } = context.options;
  const open = files.flatMap((file) => file.open);
  const resolved = files.filter(isDone).map(({ path }) => path);
  const edited = files.filter(({ isEdited }) => isEdited).map(({ path }) => path);
  const status = open.length + edited.length === 0 ? exitCodes.ok : exitCodes.found;
  const writers = await findWriters(context, files);
  if (json) {
    const conflicts = open.map((conflict) => conflictJson(conflict, writers));
    context.json({ resolved, edited, open: conflicts, dry_run: dryRun });
    return status;
  }
  if (files.length === 0) context.say("no file of sealtree is in conflict; git status shows files of others");
  for (const path of resolved) context.say(`${dryRun ? "would resolve" : "resolved"} ${path}`);
  for (const path of edited) context.say(`${path} was settled by hand: git add ${path}`);
  for (const conflict of open) for (const line of describeConflict(context, conflict, writers)) context.line(line);
  if (open.length > 0) context.say(`${count(open.length, "conflict")} left`);
  const next = open.find(({ isChoice }) => isChoice);
  if (next !== undefined) context.say(`take a side: sealtree resolve ${nameOf(next)} ${sidesOf(next)}`);
  for (const { path } of open.filter(({ isChoice }) => !isChoice))
    context.say(`edit ${path} so that it fits, then: git add ${path}`);
  if (files.length > 0 && status === exitCodes.ok && !dryRun) await sayNext(context, resolved);
  return status;
}

async function sayNext(context: Context, resolved: readonly string[]): Promise<void> {
  const operation = findOperation((await findGitDirectories(context.place())).gitDirectory);
  context.say(operation === undefined ? "all is settled; commit it" : `all is settled: ${operation.finish}`);
  if (resolved.some((path) => parseSecretsPath(path)?.kind === "generation"))
    context.say("then wrap keyrings for all who may read now: sealtree rekey");
}

/** How a conflict is named on the command line. */
function nameOf({ path, scope, name }: OpenConflict): string {
  return scope === undefined ? path : `${scope}/${name}`;
}

function sidesOf({ scope }: OpenConflict): string {
  return scope === undefined ? "--ours|--theirs" : "--ours|--theirs|--newest";
}

function usage(message: string): SealtreeError {
  return usageError(message, "sealtree resolve lists what is in conflict");
}

function nothingToResolve(message: string): SealtreeError {
  return new SealtreeError("E_NO_CONFLICT", message, {
    hints: ["sealtree resolve lists what is in conflict", "git status shows files of others"],
  });
}
