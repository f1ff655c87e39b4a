import { exitCodes, usageError } from "../../errors.ts";
import { compareScopes, type ScopePair } from "../../history/compare-scopes.ts";
import { compareTrees, type TreeDifference } from "../../history/compare-trees.ts";
import { SideOpener } from "../../history/open-sides.ts";
import { parseScopePath } from "../../secret/address.ts";
import { openCommitTree, type CommitTree } from "../../store/commit-tree.ts";
import { withFallback } from "../../store/fallback-tree.ts";
import type { Tree } from "../../store/tree.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { checkPattern, parseDiffArguments, requireScope, scopeFilter } from "../diff-sides.ts";
import { openSides, revealSides, type OpenedSides, type SealedSide } from "../diff-values.ts";
import { requireHistory } from "../load-exposure.ts";
import { differenceJson, printDifference } from "../print-diff.ts";
import { pairsJson, printScopePairs, stateOf } from "../print-scope-pairs.ts";

export const diff: CommandModule = {
  arguments: "[from] [to] [scope]",
  kind: "plain",
  description:
    "Compares the secrets of two commits by name: what was added, removed, given another value, or only sealed again, and who gains and loses read access. A..B or A B compare two commits, A...B the second with where the two parted, one commit is compared with the work tree, and HEAD without any. With --env it compares two scopes or two folders of scopes of one tree. Needs no key, but for --reveal and --compare.",
  options: [
    { flags: "--env", description: "compare two scopes, or two folders of scopes, by name: diff --env staging prod" },
    {
      flags: "--scope <pattern>",
      description: "look at these scopes only, such as prod/**; also as the last argument",
    },
    { flags: "--at <rev>", description: "with --env: the tree of a commit, tag or branch instead of the work tree" },
    {
      flags: "--compare",
      description: "with --env: open both sides and say which values are equal, without showing them",
    },
    { flags: "--reveal", description: "print the values of both sides" },
    { flags: "-y, --yes", description: "do not ask" },
    { flags: "--names-only", description: "print the addresses that differ and nothing else" },
    { flags: "--exit-code", description: "exit 1 when something differs" },
  ],
  examples: [
    { command: "sealtree diff main..topic", description: "what a branch changes" },
    { command: "sealtree diff v1.2.0 HEAD prod/api --json", description: "one scope since a release, for a script" },
    {
      command: "sealtree diff --env staging prod --compare",
      description: "what one environment lacks, and what is equal in both",
    },
  ],
  json: '{"from": commit, "to": commit|null, "scopes": [{"scope", "secrets": [{"name", "change": "added"|"removed"|"value"|"resealed", "before", "after": {"value_id", "set_at", "generation"|null, "is_drop": boolean}|null, "moved_from": address|null}], "readers": [{"name", "change": "gains"|"loses"|"keys", "may_read", "can_open": boolean}]}], "problems": [text]} or with --env {"pairs": [{"left", "right": scope, "secrets": [{"name", "state": "left"|"right"|"both"|"same"|"equal"|"different", "left", "right": as above|null}], "readers"}]}; with --reveal each side has "value" (text) or "value_base64" (binary)',
  async run(context, args, options) {
    context.about({ operation: "diff" });
    const differs =
      options["env"] === true ? await diffScopes(context, args, options) : await diffTrees(context, args, options);
    return differs && options["exitCode"] === true ? exitCodes.found : exitCodes.ok;
  },
};

type Options = Readonly<Record<string, unknown>>;
const nothing: OpenedSides = new Map();

async function diffTrees(context: Context, args: readonly string[], options: Options): Promise<boolean> {
  if (options["compare"] === true || context.options.at !== undefined)
    throw usageError("--compare and --at belong to --env", "sealtree diff --env staging prod --compare");
  const place = requireHistory(context);
  const sides = await parseDiffArguments(place, args, options["scope"]);
  const workTree = openWorkTree(place.root);
  const opened: CommitTree[] = [];
  const open = async (commit: string) => {
    const tree = await openCommitTree(place, commit);
    opened.push(tree);
    return tree;
  };
  try {
    const before = await open(sides.before);
    const after = sides.after === undefined ? workTree : await open(sides.after);
    await requireScope(sides.pattern, before, after);
    const found = await compareTrees(before, after, scopeFilter(sides.pattern));
    if (options["namesOnly"] === true) printNames(context, found);
    else {
      const values = options["reveal"] === true ? await revealTrees(context, found, { before, after }) : nothing;
      if (context.options.json)
        context.json({ from: sides.before, to: sides.after ?? null, ...differenceJson(found, values) });
      else printDifference(context, found, values);
    }
    for (const problem of found.problems) context.say(`sealtree: warning: ${problem}`);
    return found.scopes.length > 0;
  } finally {
    for (const tree of opened) tree.close();
  }
}

/** Values that are another on the two sides; one that was only sealed again is not opened. */
async function revealTrees(
  context: Context,
  { scopes }: TreeDifference,
  trees: { readonly before: Tree; readonly after: Tree },
): Promise<OpenedSides> {
  const changes = scopes.flatMap(({ scope, secrets }) =>
    secrets.filter(({ change }) => change !== "resealed").map((change) => ({ scope, ...change })),
  );
  if (changes.length === 0) return nothing;
  const workTree = openWorkTree(context.place().root);
  const identities = await context.session.identities();
  const [before, after] = [trees.before, trees.after].map(
    (tree) => new SideOpener(withFallback(workTree, tree), identities),
  );
  const sealed = changes.flatMap(({ scope, name, ...states }): SealedSide[] =>
    (
      [
        [states.before, before],
        [states.after, after],
      ] as const
    ).flatMap(([state, opener]) =>
      state === undefined || opener === undefined ? [] : [{ scope, name, record: state.record, opener }],
    ),
  );
  return await revealSides(context, sealed);
}

function printNames(context: Context, { scopes }: TreeDifference): void {
  const names = scopes.flatMap(({ scope, secrets }) => secrets.map(({ name }) => `${scope}/${name}`));
  if (context.options.json) context.json({ names });
  else for (const name of names) context.line(name);
}

async function diffScopes(context: Context, args: readonly string[], options: Options): Promise<boolean> {
  const [left, right, pattern, extra] = args;
  if (left === undefined || right === undefined || extra !== undefined)
    throw usageError("--env takes two scopes or folders", "sealtree diff --env staging prod");
  const tree = await context.tree();
  const includes = scopeFilter(checkPattern(pattern ?? options["scope"]));
  const pairs = await compareScopes(tree, { left: parseScopePath(left), right: parseScopePath(right), includes });
  const sealed = await sealedPairs(context, tree, pairs, options);
  const compared = options["compare"] === true ? await openSides(sealed.filter(({ isPair }) => isPair)) : undefined;
  const differs = pairs.some(({ names }) =>
    names.some((pair) => ["left", "right", "different"].includes(stateOf(pair, compared))),
  );
  if (options["namesOnly"] === true) {
    const names = pairs.flatMap((pair) =>
      pair.names
        .filter((each) => ["left", "right", "different"].includes(stateOf(each, compared)))
        .map((each) => `${each.right === undefined ? pair.left : pair.right}/${each.name}`),
    );
    if (context.options.json) context.json({ names });
    else for (const name of names) context.line(name);
    return differs;
  }
  const opened = options["reveal"] === true ? await revealSides(context, sealed) : nothing;
  if (context.options.json) context.json({ pairs: pairsJson(pairs, opened, compared) });
  else printScopePairs(context, pairs, { opened, compared });
  return differs;
}

/** Nothing is opened, and no identity asked for, where no key is needed. */
async function sealedPairs(
  context: Context,
  tree: Tree,
  pairs: readonly ScopePair[],
  options: Options,
): Promise<(SealedSide & { readonly isPair: boolean })[]> {
  if (options["reveal"] !== true && options["compare"] !== true) return [];
  const opener = new SideOpener(
    withFallback(openWorkTree(context.place().root), tree),
    await context.session.identities(),
  );
  return pairs.flatMap(({ left, right, names }) =>
    names.flatMap((pair) => {
      const isPair = pair.left !== undefined && pair.right !== undefined;
      return (
        [
          [left, pair.left],
          [right, pair.right],
        ] as const
      ).flatMap(([scope, state]) =>
        state === undefined ? [] : [{ scope, name: pair.name, record: state.record, opener, isPair }],
      );
    }),
  );
}
