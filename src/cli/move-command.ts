import { SealtreeError } from "../errors.ts";
import { isScopePath, isSecretName, parseAddress, parseScopePath, printAddress } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { isTaken, moveValues, type Move, type MoveOptions } from "../values/move-values.ts";
import type { OptionSpec } from "./command.ts";
import type { Context } from "./context.ts";
import { reportWrite } from "./report-write.ts";

export const moveOptions: readonly OptionSpec[] = [
  { flags: "--force", description: "write over a secret that is at the destination" },
  { flags: "--as <what>", description: "secret or scope, where the first word could be both" },
];

export const moveJson =
  '{"scope", "added": [name], "changed": [name], "removed": [name], "commit": id|null, "dry_run": boolean}, or {"scopes": [...], "commit", "dry_run"} for two scopes';

/** What `mv` and `cp` do. Gives what was moved. */
export async function runMove(
  context: Context,
  [from = "", to = ""]: readonly string[],
  options: Readonly<Record<string, unknown>>,
  way: MoveOptions["way"],
): Promise<Move> {
  const operation = way === "move" ? "mv" : "cp";
  const tree = openWorkTree(context.place().root);
  const move = await parseMove(tree, from, to, options["as"]);
  context.about({ operation, ...(move.kind === "scope" ? { scope: move.from } : move.from) });
  const isForced = options["force"] === true;
  if (isForced && move.kind === "secret" && (await isTaken(tree, move.to))) {
    await context.confirm(`write over ${printAddress(move.to)}?`);
  }
  const outcome = await moveValues(context.session, move, {
    ...context.options,
    way,
    existing: isForced ? "replace" : "refuse",
  });
  await reportWrite(context, outcome, { operation, kind: "written" });
  return move;
}

async function parseMove(tree: Tree, from: string, to: string, as: unknown): Promise<Move> {
  if (as !== undefined && as !== "secret" && as !== "scope") {
    throw new SealtreeError("E_USAGE", "--as takes secret or scope");
  }
  if (as === "scope" || (as === undefined && (await isScopeMove(tree, from)))) {
    return { kind: "scope", from: parseScopePath(from), to: parseScopePath(to) };
  }
  const source = parseAddress(from);
  if (await findScope(tree, to)) {
    throw new SealtreeError("E_USAGE", `${to} is a scope, and a secret needs an address`, {
      hints: [`${to}/${source.name}`],
    });
  }
  return { kind: "secret", from: source, to: parseAddress(to) };
}

async function isScopeMove(tree: Tree, text: string): Promise<boolean> {
  if (!(await findScope(tree, text))) return false;
  const slash = text.lastIndexOf("/");
  const isAddress = slash > 0 && isSecretName(text.slice(slash + 1));
  if (!isAddress || !(await isTaken(tree, parseAddress(text)))) return true;
  throw new SealtreeError("E_USAGE", `${text} is a scope, and a secret too`, {
    hints: ["say which: --as scope, or --as secret"],
  });
}

async function findScope(tree: Tree, text: string): Promise<boolean> {
  return isScopePath(text) && (await readScope(tree, text)) !== undefined;
}
