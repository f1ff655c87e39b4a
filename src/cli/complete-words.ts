import { isScopePath } from "../secret/address.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { commonOptionsOf, type CommandModule } from "./command.ts";
import { completionShells } from "./completion-scripts.ts";
import { findCommand } from "./find-command.ts";
import { commands } from "./program.ts";

/** What an option takes, by what its flags call it. */
const optionValues: Readonly<Record<string, readonly string[]>> = {
  "--as <what>": ["secret", "scope"],
};
const formatList = /^([a-z]+(?:, [a-z]+)+);/;

/**
 * What may stand in place of the last of `words`, the words after `sealtree`: commands,
 * options, scopes and addresses. Reads file names and secret names only. A candidate that
 * ends in `/` goes on. Empty where the shell should offer files.
 */
export async function completeWords(words: readonly string[], openTree: () => Tree): Promise<string[]> {
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  if (before.includes("--")) return [];
  const found = findCommand(before);
  if (found === undefined) return startingWith(commandWords(before), last);
  const module = await found.entry.load();
  const previous = before.at(-1) ?? "";
  const taking = findOption(module, previous);
  if (taking !== undefined && /[<[]/.test(taking.flags)) return startingWith(await valuesOf(taking, openTree), last);
  if (last.startsWith("-")) return startingWith(longFlags(module), last);
  const position = countOperands(module, before.slice(found.length));
  const argument = argumentAt(module, position);
  if (argument === "scope" || argument === "scopes") return startingWith(await listScopes(openTree()), last);
  if (argument === "address" || argument === "from" || argument === "to") return await addresses(openTree(), last);
  if (argument === "targets") return startingWith(await listTargets(openTree()), last);
  return argument === "shell" ? startingWith(completionShells, last) : [];
}

function commandWords(before: readonly string[]): string[] {
  const prefix = before.map((word) => `${word} `).join("");
  const names = Object.entries(commands).flatMap(([name, entry]) => (entry.isHidden === true ? [] : [name]));
  const next = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length).split(" ")[0] ?? "");
  return [...new Set(next)];
}

function optionsOf(module: CommandModule) {
  return [...module.options, ...commonOptionsOf(module.kind)];
}

function longFlags(module: CommandModule): string[] {
  return optionsOf(module).flatMap(({ flags }) => /--[a-z-]+/.exec(flags) ?? []);
}

function findOption(module: CommandModule, word: string) {
  return optionsOf(module).find(({ flags }) => flags.split(/[ ,]+/).includes(word) && word.startsWith("-"));
}

async function valuesOf(
  option: { flags: string; description: string },
  openTree: () => Tree,
): Promise<readonly string[]> {
  if (option.flags.startsWith("--scope ")) return await listScopes(openTree());
  const listed = option.flags.startsWith("--format ")
    ? formatList.exec(option.description)?.[1]?.split(", ")
    : undefined;
  return listed ?? optionValues[option.flags] ?? [];
}

function countOperands(module: CommandModule, words: readonly string[]): number {
  let operands = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("-")) operands += 1;
    else if (findOption(module, word)?.flags.includes("<") === true) index += 1;
  }
  return operands;
}

function argumentAt(module: CommandModule, position: number): string | undefined {
  const names = module.arguments.split(" ").map((argument) => argument.replace(/[<>[\]]/g, ""));
  const name = names[position] ?? (names.at(-1)?.endsWith("...") === true ? names.at(-1) : undefined);
  return name?.replace("...", "");
}

/** Scopes, each to go on with `/`, and the secrets of the scope that is typed out. */
async function addresses(tree: Tree, typed: string): Promise<string[]> {
  const scope = typed.slice(0, Math.max(typed.lastIndexOf("/"), 0));
  const names = isScopePath(scope) ? [...((await readScope(tree, scope)) ?? new Map<string, never>()).keys()] : [];
  const scopes = (await listScopes(tree)).map((path) => `${path}/`).filter((path) => path !== `${scope}/`);
  return startingWith([...names.map((name) => `${scope}/${name}`), ...scopes], typed);
}

async function listTargets(tree: Tree): Promise<string[]> {
  const { readDeployPolicy } = await import("../deploy/policy.ts");
  return [...((await readDeployPolicy(tree)).policy?.targets.keys() ?? [])];
}

function startingWith(candidates: readonly string[], typed: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(typed));
}
